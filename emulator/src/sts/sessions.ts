import { randomBytes } from 'node:crypto';
import type { Agenda } from '../control/clock.ts';
import { partitionOf } from '../iam/partitions.ts';
import type { Policy } from '../iam/policy.ts';
import type { Settings } from '../options/settings.ts';
import type { Signed } from '../wire/signature.ts';

/** Who is asking, as far as the request's key says. */
export interface Caller {
  accessKeyId: string;
  accountId: string;
  region: string;
  arn: string;
  userId: string;
  /** Set for sessions of AssumeRole. */
  roleArn?: string;
  sessionName?: string;
  sourceIdentity?: string | undefined;
  sessionPolicy?: Policy | undefined;
}

/** Why a request's credentials do not count: 'token' is a session token that nobody issued for that key. */
export type AuthFailure = 'missing' | 'expired' | 'unknown' | 'token';

/** Temporary credentials; `expiresAt` in epoch ms. */
interface Session {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiresAt: number;
  accountId: string;
  arn: string;
  userId: string;
  roleArn: string;
  sessionName: string;
  sourceIdentity: string | undefined;
  sessionPolicy: Policy | undefined;
}

/** All sessions issued since the start. */
export interface Sessions {
  issue(
    session: Omit<Session, 'accessKeyId' | 'secretAccessKey' | 'sessionToken' | 'userId'>,
  ): Session;
  identify(signed: Signed | undefined): Caller | AuthFailure;
  /** The secret keys and tokens of all sessions: what nobody may see but STS and its callers. */
  secrets(): string[];
}

/** Makes an empty list of sessions. Plain access keys are good whatever they are, but never with a token. */
export function makeSessions(clock: Agenda, settings: Settings): Sessions {
  const sessions = new Map<string, Session>();

  return {
    issue(session) {
      const issued = {
        ...session,
        accessKeyId: `ASIA${randomName(16)}`,
        secretAccessKey: randomBytes(30).toString('base64'),
        sessionToken: randomBytes(96).toString('base64'),
        userId: `AROA${randomName(17)}:${session.sessionName}`,
      };
      sessions.set(issued.accessKeyId, issued);
      return issued;
    },

    identify(signed) {
      if (!signed) return 'missing';
      const { accessKeyId, region, sessionToken } = signed;
      // Keys of sessions begin with ASIA; any other key is somebody's own and is taken on trust.
      if (!accessKeyId.startsWith('ASIA')) {
        if (sessionToken !== undefined) return 'token';
        const accounts = new Map(Object.entries(settings.accountsByAccessKey));
        const accountId = accounts.get(accessKeyId) ?? settings.accountId;
        const arn = `arn:${partitionOf(region).name}:iam::${accountId}:user/emulated`;
        return { accessKeyId, accountId, region, arn, userId: 'AIDAEMULATEDUSER00000' };
      }
      const session = sessions.get(accessKeyId);
      if (!session || sessionToken === undefined) return 'unknown';
      if (session.sessionToken !== sessionToken) return 'token';
      if (clock.now() >= session.expiresAt) return 'expired';
      const { accountId, arn, userId, roleArn, sessionName, sourceIdentity } = session;
      const { sessionPolicy } = session;
      const called = { arn, userId, roleArn, sessionName, sourceIdentity };
      return { accessKeyId, accountId, region, ...called, sessionPolicy };
    },

    secrets: () =>
      [...sessions.values()].flatMap(({ secretAccessKey, sessionToken }) => [
        secretAccessKey,
        sessionToken,
      ]),
  };
}

function randomName(length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return Array.from(randomBytes(length), (byte) => alphabet[byte % 32]).join('');
}
