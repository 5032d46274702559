import type { AssumeRoleCommandOutput } from '@aws-sdk/client-sts';

import { setAsNewest } from '#caching/bounded-map.ts';

import type { VerificationGrant } from '../call-options.ts';
import { isThrottling } from '../error-meaning.ts';

/** The keys that sign a call, in the form the SDK takes. */
export interface CallKeys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
}

/** A session of a role. `endsAt` is by `elapsed`. */
interface Session {
  keys: CallKeys;
  endsAt: number;
}

/** Returns the keys of a target. They are cached; `forceRefresh` gets new ones. */
export type Credentials = (options?: { forceRefresh?: boolean }) => Promise<CallKeys>;

/**
 * Returns the credentials of one verification, with the name of the caller and limited to the grant. The
 * same grant has the same session, which is renewed as long as it is used.
 */
export type VerificationCredentials = (
  grant: VerificationGrant,
  caller: string | undefined,
) => Credentials;

// A session is refreshed this long before its end. Shorter: an outage of STS of a few minutes fails
// calls. Longer: more sessions than necessary.
const refreshBeforeEndSeconds = 5 * 60;
// The pause before the next AssumeRole. Shorter: a refused role costs many calls. Longer: calls fail
// although the role is fixed, or STS is back.
const pauseAfterRefusalSeconds = 60;
const pauseAfterOutageSeconds = 1;
// Fewer: while more callers are refused, each of their creates costs a call. More: they take memory.
const maxRefusedCallers = 1_000;
// The role may trust all callers but this one, and only its session name and policy differ from those of others.
const refusalsOfCaller = new Set(['AccessDenied', 'ValidationError']);

// The shortest session STS offers: stolen keys are valid for 15 minutes at most.
export const sessionSeconds = 900;

type AssumeRole = () => Promise<AssumeRoleCommandOutput>;

/**
 * Opens a session of a role. `caller` is present for a session in the name of a caller.
 * @throws an error named CredentialsRefused (STS refused), CallerRefused (perhaps only this caller), or
 * CredentialsUnavailable (it did not answer, or throttled the call), or the error of STS about the session
 * policy, which is not about the role
 */
type OpenSession = (assumeRole: AssumeRole, caller?: string) => Promise<CallKeys>;

/**
 * Makes the function that opens sessions of a role. After a failure it pauses: until the pause ends, all
 * calls get the same error. Then one call tries again. A refusal that may concern only the caller pauses
 * the sessions of this caller alone. `elapsed` is a clock that only goes forward, in milliseconds: one that is
 * set back would lengthen pauses.
 */
export function makeSessionSource(elapsed: () => number): OpenSession {
  let failure: { error: Error; pauseMs: number; until: number } | undefined;
  const refused = new Map<string, { error: Error; until: number }>(); // by caller

  return async function openSession(assumeRole, caller = '') {
    const refusal = refused.get(caller);
    if (refusal && elapsed() < refusal.until) throw refusal.error;
    if (failure) {
      if (elapsed() < failure.until) throw failure.error;
      failure.until = elapsed() + failure.pauseMs;
    }
    try {
      const keys = readKeys(await assumeRole());
      failure = undefined;
      return keys;
    } catch (thrown) {
      const cause = thrown as StsError;
      if (isAboutPolicy(cause)) {
        failure = undefined; // it says nothing about the role
        throw toPolicyRefusal(cause);
      }
      const isRefusal = isRefused(cause);
      const isOfCaller = caller !== '' && refusalsOfCaller.has(cause.name);
      const error = new Error('the service role could not be assumed', { cause });
      error.name = isRefusal ? 'CredentialsRefused' : 'CredentialsUnavailable';
      if (isOfCaller) error.name = 'CallerRefused';
      const pauseMs = 1_000 * (isRefusal ? pauseAfterRefusalSeconds : pauseAfterOutageSeconds);
      const until = elapsed() + pauseMs;
      if (isOfCaller) {
        failure = undefined;
        setAsNewest(refused, caller, { error, until }, maxRefusedCallers);
      } else {
        failure = { error, pauseMs, until };
      }
      throw error;
    }
  };
}

function readKeys({ Credentials: issued }: AssumeRoleCommandOutput): CallKeys {
  const { AccessKeyId, SecretAccessKey, SessionToken } = issued ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken) {
    throw new Error('AssumeRole answered without credentials');
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
  };
}

interface StsError extends Error {
  $metadata?: { httpStatusCode?: number };
}

function isRefused(error: StsError): boolean {
  const status = error.$metadata?.httpStatusCode;
  return status !== undefined && status >= 400 && status < 500 && !isThrottling(error);
}

function isAboutPolicy({ name }: StsError): boolean {
  return name === 'PackedPolicyTooLargeException' || name === 'MalformedPolicyDocumentException';
}

/** The error of a create that STS refused, without the request id, which belongs to the call of STS. */
function toPolicyRefusal(cause: StsError): Error {
  const { name, message, $metadata } = cause;
  const error = new Error(message, { cause });
  return Object.assign(error, { name, $metadata: { ...$metadata, requestId: undefined } });
}

/**
 * Makes the credentials of an assumed role. They are cached until shortly before their end, with one
 * AssumeRole in flight at a time. If a refresh fails, the old session is used until its end. Its end is counted
 * from the call: the clock of this machine may differ from that of AWS.
 * @throws an error named CredentialsRefused (STS refused) or CredentialsUnavailable
 */
export function makeAssumedRoleCredentials(options: {
  assumeRole: AssumeRole;
  elapsed: () => number;
}): Credentials {
  const { assumeRole, elapsed } = options;
  const openSession = makeSessionSource(elapsed);
  let session: Session | undefined;
  let inFlight: Promise<CallKeys> | undefined;

  async function refresh(): Promise<CallKeys> {
    const endsAt = elapsed() + 1_000 * sessionSeconds;
    try {
      const keys = await openSession(assumeRole);
      session = { keys, endsAt };
      return keys;
    } finally {
      inFlight = undefined;
    }
  }

  return async ({ forceRefresh = false } = {}): Promise<CallKeys> => {
    const secondsLeft = session ? (session.endsAt - elapsed()) / 1_000 : 0;
    if (session && secondsLeft > refreshBeforeEndSeconds && !forceRefresh) return session.keys;
    if (forceRefresh) session = undefined; // AWS refused the old session
    const usable = session && secondsLeft > 0 ? session.keys : undefined;
    inFlight ??= refresh();
    if (!usable) return inFlight;
    // The old session is still valid: this call neither waits for STS nor fails with it.
    inFlight.catch(() => {});
    return usable;
  };
}
