import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type AssumeRoleCommandOutput,
  GetCallerIdentityCommand,
  type STSClient,
} from '@aws-sdk/client-sts';

import { gatewayItself } from '#audit/audit.ts';
import { auditStsCall, type RecordCall } from '../audited-calls.ts';
import type { CreateCallOptions, ExportGrant, VerificationGrant } from '../call-options.ts';
import { withDeadline } from '../client/deadline.ts';
import { measureCall } from '../client/measure-call.ts';
import type { ClientPool } from '../regions/client-pool.ts';
import type { AwsRegion } from '../regions/open-aws.ts';
import {
  type CallKeys,
  type Credentials,
  makeAssumedRoleCredentials,
  makeSessionSource,
  sessionSeconds,
  type VerificationCredentials,
} from './credentials.ts';
import { sessionNameOf } from './session-name.ts';
import { type RoleLocation, sessionPolicyFor } from './session-policy.ts';
import { eventsPolicyFor, objectsPolicyFor } from './verification-policy.ts';

/** The role to assume at a target. */
export interface ServiceRole {
  roleArn: string;
  externalId?: string | undefined;
}

/** The sessions of a role. */
export interface RoleSessions {
  /** The credentials of the gateway itself. */
  credentials: Credentials;
  /**
   * Opens the session of one create, with the name of the caller and limited to the grant.
   * @throws an error named CredentialsRefused, CallerRefused or CredentialsUnavailable, or that of STS about
   * the policy
   */
  openScoped(options: CreateCallOptions): Promise<CallKeys>;
  /** The sessions of verifications that look at the objects of an export. */
  forObjects: VerificationCredentials;
  /** The sessions of verifications that read the events of a log group. */
  forEvents: VerificationCredentials;
}

type StsPool = ClientPool<STSClient>;

/**
 * Makes the sessions of a role. They come from STS in the Region of the target, so that an outage of a
 * Region affects only its targets.
 */
export function makeRoleSessions(options: {
  role: ServiceRole;
  region: AwsRegion;
  sessionName: string;
  record: RecordCall;
}): RoleSessions {
  const { role, region, sessionName, record } = options;
  const { elapsed } = region;
  const openSession = makeSessionSource(elapsed);

  const assumeRole = (pool: StsPool, input: Omit<AssumeRoleCommandInput, 'RoleArn'>) =>
    measureCall('STS/AssumeRole', region, () =>
      withDeadline(region.timeouts.readMs, async ({ abortSignal: signal }) =>
        pool.call({ holder: role, keys: await region.defaultCredentials(), signal }, (client) =>
          client.send(
            new AssumeRoleCommand({
              RoleArn: role.roleArn,
              DurationSeconds: sessionSeconds,
              ...(role.externalId !== undefined && { ExternalId: role.externalId }),
              ...input,
            }),
            { abortSignal: signal },
          ),
        ),
      ),
    );

  const credentials = makeAssumedRoleCredentials({
    elapsed,
    assumeRole: () =>
      auditStsCall(
        record,
        { principal: gatewayItself, operation: 'AssumeRole' },
        assumeRole(region.sessions, { RoleSessionName: sessionName }),
      ),
  });

  /** Assumes the role in the name of a caller, for what the policy permits. */
  async function assumeFor(
    caller: string,
    { grant, Policy, pool }: { grant: ExportGrant | undefined; Policy: string; pool: StsPool },
  ): Promise<AssumeRoleCommandOutput> {
    const name = sessionNameOf(caller);
    return auditStsCall(
      record,
      { principal: caller, operation: 'AssumeRole', sourceIdentity: name, ...grant },
      assumeRole(pool, { RoleSessionName: name, SourceIdentity: name, Policy }),
    );
  }

  const location = readLocation(role.roleArn, region.name);

  function makeVerificationCredentials(
    policyFor: typeof objectsPolicyFor,
  ): VerificationCredentials {
    const known = new WeakMap<VerificationGrant, Credentials>();
    return (grant, caller = gatewayItself) => {
      const ofGrant = known.get(grant) ?? openFor(grant, caller, policyFor(location, grant));
      known.set(grant, ofGrant);
      return ofGrant;
    };
  }

  function openFor(grant: VerificationGrant, caller: string, Policy: string): Credentials {
    const pool = region.sessions; // creates have the other places
    const assumed = makeAssumedRoleCredentials({
      elapsed,
      assumeRole: () => assumeFor(caller, { grant, Policy, pool }),
    });
    return async (refresh) => {
      await credentials(); // throws without a call while the role is refused
      return assumed(refresh);
    };
  }

  return {
    credentials,
    async openScoped({ caller = gatewayItself, grant }) {
      await credentials(); // throws without a call while the role is refused
      const Policy = sessionPolicyFor(location, grant);
      const pool = region.scopedSessions;
      return openSession(() => assumeFor(caller, { grant, Policy, pool }), caller);
    },
    forObjects: makeVerificationCredentials(objectsPolicyFor),
    forEvents: makeVerificationCredentials(eventsPolicyFor),
  };
}

/** Reads from STS the account of the credentials. Default: those of the gateway itself. */
export async function readCallerAccount(options: {
  region: AwsRegion;
  credentials: Credentials | undefined;
  record: RecordCall;
}): Promise<string> {
  const { region, credentials = region.defaultCredentials, record } = options;
  const { Account } = await auditStsCall(
    record,
    { principal: gatewayItself, operation: 'GetCallerIdentity' },
    measureCall('STS/GetCallerIdentity', region, () =>
      withDeadline(region.timeouts.readMs, async ({ abortSignal: signal }) =>
        region.sessions.call({ holder: credentials, keys: await credentials(), signal }, (client) =>
          client.send(new GetCallerIdentityCommand({}), { abortSignal: signal }),
        ),
      ),
    ),
  );
  if (Account === undefined) throw new Error('GetCallerIdentity answered without an account');
  return Account;
}

function readLocation(roleArn: string, region: string): RoleLocation {
  const [, partition = '', , , accountId = ''] = roleArn.split(':');
  return { partition, accountId, region };
}
