import type { AssumeRoleCommandOutput } from '@aws-sdk/client-sts';

/** Keys of a session, as the SDK wants them. */
interface SessionKeys {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
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

/**
 * Makes credentials of an assumed role: cached until shortly before their end, one AssumeRole in
 * flight at a time, and a failed refresh falls back on the old session until its true end.
 * @throws an error named CredentialsRefused (STS said no) or CredentialsUnavailable (no answer)
 */
export function makeAssumedRoleCredentials(options: {
  assumeRole: () => Promise<AssumeRoleCommandOutput>;
  now: () => number;
}): Credentials {
  const { assumeRole, now } = options;
  let session: { keys: SessionKeys; endsAt: number } | undefined;
  let failure: { error: Error; until: number } | undefined;
  let inFlight: Promise<SessionKeys> | undefined;

  async function refresh(): Promise<SessionKeys> {
    try {
      const { Credentials: issued } = await assumeRole();
      const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = issued ?? {};
      if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) {
        throw new Error('AssumeRole answered without credentials');
      }
      const keys = {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: SessionToken,
      };
      session = { keys, endsAt: Expiration.getTime() };
      failure = undefined;
      return keys;
    } catch (cause) {
      const status = (cause as { $metadata?: { httpStatusCode?: number } }).$metadata
        ?.httpStatusCode;
      const isRefusal = status !== undefined && status >= 400 && status < 500 && status !== 429;
      const error = new Error('the service role could not be assumed', { cause });
      error.name = isRefusal ? 'CredentialsRefused' : 'CredentialsUnavailable';
      const pauseSeconds = isRefusal ? pauseAfterRefusalSeconds : pauseAfterOutageSeconds;
      failure = { error, until: now() + pauseSeconds * 1_000 };
      throw error;
    } finally {
      inFlight = undefined;
    }
  }

  const provide = async ({ forceRefresh = false } = {}): Promise<SessionKeys> => {
    const secondsLeft = session ? (session.endsAt - now()) / 1_000 : 0;
    if (session && secondsLeft > refreshBeforeEndSeconds && !forceRefresh) return session.keys;
    if (forceRefresh) session = undefined; // AWS refused it: there is nothing to fall back on
    const usable = session && secondsLeft > 0 ? session.keys : undefined;
    if (failure && now() < failure.until) {
      if (usable) return usable;
      throw failure.error;
    }
    inFlight ??= refresh();
    if (!usable) return inFlight;
    // Still good: do not make this call wait for STS, nor fail with it.
    inFlight.catch(() => {});
    return usable;
  };
  return Object.assign(provide, { memoized: true as const });
}
