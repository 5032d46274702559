import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';

import type { AwsTimeouts } from './cloudwatch-logs.ts';
import { type Credentials, makeAssumedRoleCredentials } from './credentials.ts';

/** The role to work under at a target. */
export interface ServiceRole {
  roleArn: string;
  externalId?: string | undefined;
}

// The shortest session AWS gives: stolen keys are of use for a quarter of an hour at most.
const sessionSeconds = 900;

/** Credentials of a role, from STS in the target's own Region (one Region's outage stays there). */
export function openServiceRole(options: {
  role: ServiceRole;
  region: string;
  sessionName: string;
  timeouts: AwsTimeouts;
  now: () => number;
}): Credentials & Disposable {
  const { role, region, sessionName, timeouts, now } = options;
  const client = openSts(region, undefined, timeouts);
  const credentials = makeAssumedRoleCredentials({
    now,
    assumeRole: () =>
      client.send(
        new AssumeRoleCommand({
          RoleArn: role.roleArn,
          RoleSessionName: sessionName,
          DurationSeconds: sessionSeconds,
          ...(role.externalId !== undefined && { ExternalId: role.externalId }),
        }),
        { abortSignal: AbortSignal.timeout(timeouts.readMs) },
      ),
  });
  return Object.assign(credentials, { [Symbol.dispose]: () => client.destroy() });
}

/** The account STS says these credentials belong to (the SDK's default chain when there are none). */
export async function readCallerAccount(options: {
  region: string;
  credentials: Credentials | undefined;
  timeouts: AwsTimeouts;
}): Promise<string> {
  const client = openSts(options.region, options.credentials, options.timeouts);
  try {
    const { Account } = await client.send(new GetCallerIdentityCommand({}), {
      abortSignal: AbortSignal.timeout(options.timeouts.readMs),
    });
    if (Account === undefined) throw new Error('GetCallerIdentity answered without an account');
    return Account;
  } finally {
    client.destroy();
  }
}

function openSts(
  region: string,
  credentials: Credentials | undefined,
  timeouts: AwsTimeouts,
): STSClient {
  return new STSClient({
    region,
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: timeouts.connectMs,
      requestTimeout: timeouts.readMs,
      throwOnRequestTimeout: true,
    },
    ...(credentials && { credentials }),
  });
}
