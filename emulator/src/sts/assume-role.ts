import { partitionOf } from '../iam/partitions.ts';
import { readPolicy } from '../iam/policy.ts';
import { awsError } from '../wire/aws-error.ts';
import {
  rangeViolations,
  type TextLimits,
  textViolations,
  validationMessage,
  violation,
} from '../wire/constraints.ts';
import type { Form, QueryOutcome } from '../wire/xml/query.ts';
import type { StsContext } from './operation.ts';

const members: Record<string, TextLimits> = {
  RoleArn: { min: 20, max: 2048 },
  RoleSessionName: { min: 2, max: 64, pattern: '[\\w+=,.@-]*' },
  SourceIdentity: { min: 2, max: 64, pattern: '[\\w+=,.@-]*' },
  Policy: { min: 1, max: 2048, pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+' },
  ExternalId: { min: 2, max: 1224, pattern: '[\\w+=,.@:\\/-]*' },
};
const requiredMembers = new Set(['RoleArn', 'RoleSessionName']);

const roleArnPattern = /^arn:(aws[\w-]*):iam::(\d{12}):role\/(?:[^/]*\/)*([\w+=,.@-]+)$/;
const defaultSeconds = 3600;

/**
 * AssumeRole: a session in the account of the role. The clock ends it. A chained session lasts one hour
 * at most. A role of another partition does not trust the caller (the message is an assumption).
 */
export function assumeRole(
  form: Form,
  { caller, sessions, clock, settings }: StsContext,
): QueryOutcome {
  refuseInvalid(form);
  const { RoleArn: roleArn = '', RoleSessionName: sessionName = '', ExternalId, Policy } = form;
  const { SourceIdentity: sourceIdentity } = form;
  const durationSeconds = Number(form.DurationSeconds ?? defaultSeconds);
  const [, partition, accountId, roleName] = roleArnPattern.exec(roleArn) ?? [];
  if (!partition || !accountId || !roleName)
    throw awsError('ValidationError', `${roleArn} is invalid`);
  if (caller.roleArn && durationSeconds > defaultSeconds) {
    throw awsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  }
  const rule = settings.roles[roleArn];
  const isOtherPartition = partition !== partitionOf(caller.region).name;
  if (rule?.refuses || isOtherPartition || (rule?.externalId ?? ExternalId) !== ExternalId) {
    throw awsError(
      'AccessDenied',
      `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${roleArn}`,
      403,
    );
  }
  const sessionPolicy = Policy === undefined ? undefined : readPolicy(Policy);
  if (Policy !== undefined && !sessionPolicy) {
    throw awsError('MalformedPolicyDocument', 'The policy is not in the valid JSON format.');
  }

  const session = sessions.issue({
    accountId,
    roleArn,
    sessionName,
    sourceIdentity,
    arn: `arn:${partition}:sts::${accountId}:assumed-role/${roleName}/${sessionName}`,
    expiresAt: clock.now() + durationSeconds * 1000,
    sessionPolicy,
  });
  return {
    result: {
      Credentials: {
        AccessKeyId: session.accessKeyId,
        SecretAccessKey: session.secretAccessKey,
        SessionToken: session.sessionToken,
        // AWS writes whole seconds, rounded down.
        Expiration: new Date(session.expiresAt).toISOString().replace(/\.\d+Z$/, 'Z'),
      },
      AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
      SourceIdentity: sourceIdentity,
    },
    effect: {
      kind: 'session-issued',
      accessKeyId: session.accessKeyId,
      expiresAt: session.expiresAt,
    },
  };
}

/** @throws ValidationError, whose message names members in lower camel case */
function refuseInvalid(form: Form): void {
  const violations = Object.entries(members).flatMap(([member, limits]) => {
    const path = member.charAt(0).toLowerCase() + member.slice(1);
    const value = form[member];
    if (value !== undefined) return textViolations(value, path, limits);
    return requiredMembers.has(member)
      ? [violation(undefined, path, 'Member must not be null')]
      : [];
  });
  const duration = form.DurationSeconds;
  if (duration !== undefined) {
    if (!/^-?\d{1,10}$/.test(duration)) {
      throw awsError('MalformedInput', `Invalid number: ${duration}`);
    }
    const bounds = { min: 900, max: 43_200 };
    violations.push(...rangeViolations(BigInt(duration), 'durationSeconds', bounds));
  }
  if (violations.length > 0) throw awsError('ValidationError', validationMessage(violations));
}
