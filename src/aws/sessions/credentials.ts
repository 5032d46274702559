import type { AssumeRoleCommandOutput } from '@aws-sdk/client-sts';

/** Keys of a session, as the SDK wants them. */
export interface SessionKeys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
}

/** A session of a role. `endsAt` is epoch ms. */
interface Session {
  keys: SessionKeys;
  endsAt: number;
}

/**
 * A source of credentials for the SDK. `memoized` tells the SDK not to put its own cache in front:
 * that one throws in the last five minutes of a session when a refresh fails, although the session
 * is still good.
 */
export interface Credentials {
  (options?: { forceRefresh?: boolean }): Promise<SessionKeys>;
  memoized: true;
}

// Refreshing begins this long before the end, so that an outage of STS of some minutes is not felt.
const refreshBeforeEndSeconds = 5 * 60;
// A role that may not be assumed is asked for once a minute at most; an outage is probed sooner.
const pauseAfterRefusalSeconds = 60;
const pauseAfterOutageSeconds = 1;

type AssumeRole = () => Promise<AssumeRoleCommandOutput>;

/**
 * Makes what asks STS for sessions of a role, and leaves it alone for a while when it has failed:
 * until then everybody is told of that failure, and then one of them finds out whether it is over.
 * @throws an error named CredentialsRefused (STS said no) or CredentialsUnavailable (no answer), or
 * what STS said of the session policy, which is about one session and not about the role
 */
export function makeSessionSource(now: () => number): (assumeRole: AssumeRole) => Promise<Session> {
  let failure: { told: Error; pauseMs: number; until: number } | undefined;

  return async function openSession(assumeRole) {
    if (failure) {
      if (now() < failure.until) throw failure.told;
      failure.until = now() + failure.pauseMs;
    }
    try {
      const session = readSession(await assumeRole());
      failure = undefined;
      return session;
    } catch (error) {
      const cause = error as StsError;
      if (isAboutPolicy(cause)) {
        failure = undefined; // of the role it says nothing: that is for the next one to find out
        throw toPolicyRefusal(cause);
      }
      const isRefusal = isRefused(cause);
      const told = new Error('the service role could not be assumed', { cause });
      told.name = isRefusal ? 'CredentialsRefused' : 'CredentialsUnavailable';
      const pauseMs = 1_000 * (isRefusal ? pauseAfterRefusalSeconds : pauseAfterOutageSeconds);
      failure = { told, pauseMs, until: now() + pauseMs };
      throw told;
    }
  };
}

function readSession({ Credentials: issued }: AssumeRoleCommandOutput): Session {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = issued ?? {};
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) {
    throw new Error('AssumeRole answered without credentials');
  }
  const keys = {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
  };
  return { keys, endsAt: Expiration.getTime() };
}

interface StsError extends Error {
  $metadata?: { httpStatusCode?: number };
}

function isRefused({ $metadata }: StsError): boolean {
  const status = $metadata?.httpStatusCode;
  return status !== undefined && status >= 400 && status < 500 && status !== 429;
}

function isAboutPolicy({ name }: StsError): boolean {
  return name === 'PackedPolicyTooLargeException' || name === 'MalformedPolicyDocumentException';
}

/** A refusal of the create itself, before it was sent. The id of the request is that of another call. */
function toPolicyRefusal(cause: StsError): Error {
  const { name, message, $metadata } = cause;
  const error = new Error(message, { cause });
  return Object.assign(error, { name, $metadata: { ...$metadata, requestId: undefined } });
}

/**
 * Makes credentials of an assumed role: cached until shortly before their end, one AssumeRole in
 * flight at a time, and a failed refresh falls back on the old session until its true end.
 * @throws an error named CredentialsRefused (STS said no) or CredentialsUnavailable (no answer)
 */
export function makeAssumedRoleCredentials(options: {
  assumeRole: AssumeRole;
  now: () => number;
}): Credentials {
  const { assumeRole, now } = options;
  const openSession = makeSessionSource(now);
  let session: Session | undefined;
  let inFlight: Promise<SessionKeys> | undefined;

  async function refresh(): Promise<SessionKeys> {
    try {
      session = await openSession(assumeRole);
      return session.keys;
    } finally {
      inFlight = undefined;
    }
  }

  const provide = async ({ forceRefresh = false } = {}): Promise<SessionKeys> => {
    const secondsLeft = session ? (session.endsAt - now()) / 1_000 : 0;
    if (session && secondsLeft > refreshBeforeEndSeconds && !forceRefresh) return session.keys;
    if (forceRefresh) session = undefined; // AWS refused it: there is nothing to fall back on
    const usable = session && secondsLeft > 0 ? session.keys : undefined;
    inFlight ??= refresh();
    if (!usable) return inFlight;
    // Still good: do not make this call wait for STS, nor fail with it.
    inFlight.catch(() => {});
    return usable;
  };
  return Object.assign(provide, { memoized: true as const });
}
