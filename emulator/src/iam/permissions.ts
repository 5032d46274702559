import type { Settings } from '../options/settings.ts';
import type { Caller } from '../sts/sessions.ts';
import type { ConditionContext } from './conditions.ts';
import { partitionOf } from './partitions.ts';
import { findEffect, isActionLike, isAllowed, type Policy } from './policy.ts';

/** What a caller wants to do. */
export interface Attempt {
  action: string;
  resource: string;
  /** Context keys of the request. Those of the caller are added. */
  context?: ConditionContext;
}

/** Why an attempt is not allowed, in the words of AWS. */
export type Denial =
  | 'no identity-based policy allows'
  | 'no session policy allows'
  | 'no resource-based policy allows';

/**
 * Returns why a caller may not do something: the option `deniedActions` stands for the policies of roles
 * and users, and a session policy must allow it too (documentation). Returns undefined if it is allowed.
 */
export function findDenial(
  { action, resource, context = {} }: Attempt,
  caller: Caller,
  { deniedActions }: Pick<Settings, 'deniedActions'>,
): Denial | undefined {
  const { roleArn, accessKeyId, sessionPolicy } = caller;
  const denied = [...(deniedActions['*'] ?? []), ...(deniedActions[roleArn ?? accessKeyId] ?? [])];
  if (denied.some((pattern) => isActionLike(action, pattern))) {
    return 'no identity-based policy allows';
  }
  if (!sessionPolicy) return undefined;
  const question = { principals: 'holder' as const, action, resource, context };
  return isAllowed(sessionPolicy, question) ? undefined : 'no session policy allows';
}

/** Writes the message about a denial. S3 puts the resource in quotes. */
export function denialMessage(
  { action, resource }: Attempt,
  { arn }: Caller,
  denial: Denial,
): string {
  return `User: ${arn} is not authorized to perform: ${action} on resource: ${resource} because ${denial} the ${action} action`;
}

/**
 * Whether the policy of a resource lets a caller do something. In the account of the resource it must not
 * deny it, in another account it must allow it (documentation).
 */
export function isLetIn(
  { policy, accountId }: { policy: Policy | undefined; accountId: string },
  caller: Caller,
  { action, resource, context = {} }: Attempt,
  { organizationId }: Pick<Settings, 'organizationId'>,
): boolean {
  const { accountId: own, arn, roleArn, userId } = caller;
  const effect =
    policy &&
    findEffect(policy, {
      principals: { type: 'AWS', names: principalNames(caller) },
      action,
      resource,
      context: {
        ...context,
        'aws:SecureTransport': 'true',
        'aws:PrincipalArn': roleArn ?? arn,
        'aws:PrincipalAccount': own,
        ...(organizationId !== undefined && { 'aws:PrincipalOrgID': organizationId }),
        'aws:PrincipalType': roleArn ? 'AssumedRole' : 'User',
        'aws:PrincipalIsAWSService': 'false',
        'aws:ViaAWSService': 'false',
        'aws:userid': userId,
      },
    });
  return accountId === own ? effect !== 'Deny' : effect === 'Allow';
}

/** Returns the names by which the policy of a resource may mean a caller. */
export function principalNames({ accountId, arn, roleArn, region }: Caller): string[] {
  const root = `arn:${partitionOf(region).name}:iam::${accountId}:root`;
  return [accountId, root, arn, ...(roleArn ? [roleArn] : [])];
}
