import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts';

import { gatewayItself } from '#audit/audit.ts';
import { auditStsCall, type RecordCall } from '../audited-calls.ts';
import { type AwsConnectionOptions, keepAliveConnections } from '../client/connections.ts';
import { withDeadline } from '../client/deadline.ts';
import type { CreateCallOptions } from '../cloudwatch-logs.ts';
import { makeCredentialTrail } from './credential-trail.ts';
import {
  type Credentials,
  makeAssumedRoleCredentials,
  makeSessionSource,
  type SessionKeys,
} from './credentials.ts';
import { sessionNameOf } from './session-name.ts';
import { type RoleLocation, sessionPolicyFor } from './session-policy.ts';

/** The role to assume at a target. */
export interface ServiceRole {
  roleArn: string;
  externalId?: string | undefined;
}

/** The sessions of a role. */
export interface RoleSessions extends Disposable {
  /** The credentials of the gateway itself. */
  credentials: Credentials;
  /**
   * Opens the session of one create, with the name of the caller and limited to the grant.
   * @throws an error named CredentialsRefused or CredentialsUnavailable, or that of STS about the policy
   */
  openScoped(options: CreateCallOptions): Promise<SessionKeys>;
}

// The shortest session STS offers: stolen keys are valid for 15 minutes at most.
const sessionSeconds = 900;

/** Opens a role at STS in the Region of the target, so that an outage of a Region affects only its targets. */
export function openServiceRole(
  options: AwsConnectionOptions & {
    role: ServiceRole;
    region: string;
    sessionName: string;
    now: () => number;
    record: RecordCall;
  },
): RoleSessions {
  const { role, region, sessionName, timeouts, now, record } = options;
  const client = openSts(region, undefined, options);
  const location = readLocation(role.roleArn, region);
  const openSession = makeSessionSource(now);

  const assumeRole = (input: Omit<AssumeRoleCommandInput, 'RoleArn'>) =>
    withDeadline(timeouts.readMs, (deadline) =>
      client.send(
        new AssumeRoleCommand({
          RoleArn: role.roleArn,
          DurationSeconds: sessionSeconds,
          ...(role.externalId !== undefined && { ExternalId: role.externalId }),
          ...input,
        }),
        deadline,
      ),
    );

  const credentials = makeAssumedRoleCredentials({
    now,
    assumeRole: () =>
      auditStsCall(
        record,
        { principal: gatewayItself, operation: 'AssumeRole' },
        assumeRole({ RoleSessionName: sessionName }),
      ),
  });

  return {
    credentials,
    async openScoped({ caller = gatewayItself, grant }) {
      await credentials(); // throws without a call while the role is refused
      const name = sessionNameOf(caller);
      const Policy = sessionPolicyFor(location, grant);
      const { keys } = await openSession(() =>
        auditStsCall(
          record,
          { principal: caller, operation: 'AssumeRole', sourceIdentity: name, ...grant },
          assumeRole({ RoleSessionName: name, SourceIdentity: name, Policy }),
        ),
      );
      return keys;
    },
    [Symbol.dispose]: () => client.destroy(),
  };
}

/** Reads from STS the account of the credentials. Default: those of the SDK's default chain. */
export async function readCallerAccount(
  options: AwsConnectionOptions & {
    region: string;
    credentials: Credentials | undefined;
    record: RecordCall;
  },
): Promise<string> {
  const { region, credentials, timeouts, record } = options;
  const client = openSts(region, credentials, options);
  try {
    const { Account } = await auditStsCall(
      record,
      { principal: gatewayItself, operation: 'GetCallerIdentity' },
      withDeadline(timeouts.readMs, (deadline) =>
        client.send(new GetCallerIdentityCommand({}), deadline),
      ),
    );
    if (Account === undefined) throw new Error('GetCallerIdentity answered without an account');
    return Account;
  } finally {
    client.destroy();
  }
}

function readLocation(roleArn: string, region: string): RoleLocation {
  const [, partition = '', , , accountId = ''] = roleArn.split(':');
  return { partition, accountId, region };
}

function openSts(
  region: string,
  credentials: Credentials | undefined,
  connection: AwsConnectionOptions,
): STSClient {
  const trail = makeCredentialTrail();
  const client = new STSClient({
    region,
    maxAttempts: 2,
    requestHandler: keepAliveConnections(connection),
    ...(credentials ? { credentials } : { logger: trail.logger }),
  });
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        throw trail.explain(error);
      }
    },
    { step: 'initialize', priority: 'high', name: 'explainMissingCredentials' },
  );
  return client;
}
