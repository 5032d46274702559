import { randomBytes } from 'node:crypto';
import type { Scheduler } from '../control/clock.ts';
import { partitionOf } from '../iam/partitions.ts';
import type { Policy } from '../iam/policy.ts';
import type { Settings } from '../options/settings.ts';
import type { Signed } from '../wire/signature.ts';

/** The caller of a request, according to its access key. */
export interface Caller {
  accessKeyId: string;
  accountId: string;
  region: string;
  arn: string;
  userId: string;
  /** Present for a session of AssumeRole, as are the members below. */
  roleArn?: string;
  sessionName?: string;
  sourceIdentity?: string | undefined;
  sessionPolicy?: Policy | undefined;
}

/** Why credentials are rejected. 'token': the session token does not belong to the access key. */
export type AuthFailure = 'missing' | 'expired' | 'unknown' | 'token';

/** Temporary credentials. `expiresAt` is in epoch ms. */
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
  /** The secret keys and tokens of all sessions. Only STS and its callers may know them. */
  secrets(): string[];
}

/** Makes an empty list of sessions. Any other access key is valid, but only without a session token. */
export function makeSessions(clock: Scheduler, settings: Settings): Sessions {
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
      // Access keys of sessions begin with ASIA. Every other key is accepted.
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
      return {
        accessKeyId,
        accountId: session.accountId,
        region,
        arn: session.arn,
        userId: session.userId,
        roleArn: session.roleArn,
        sessionName: session.sessionName,
        sourceIdentity: session.sourceIdentity,
        sessionPolicy: session.sessionPolicy,
      };
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
