import type { Reading } from '#aws/storage/storage.ts';
import type { Check } from '../check.ts';
import { askPolicy, type CurrentPolicy, currentPolicy } from '../policies/ask-policy.ts';
import { callerWriteRequests } from '../policies/export-requests.ts';
import { missingStatements } from '../policies/missing-statements.ts';
import { type PolicySubject, toPolicyCheck, unreadablePolicy } from '../policies/policy-check.ts';
import { testKeys } from '../policies/test-keys.ts';
import { askFor } from '../readings.ts';
import type { PolicyQuery } from './bucket-policy-check.ts';

const subject: PolicySubject = {
  name: 'caller-permission',
  policy: 'The bucket policy',
  caller: 'the service role',
  permission: 's3:GetBucketPolicy',
};

/** A bucket and the service role that exports to it. */
export interface CallerQuery extends PolicyQuery {
  roleArn: string | undefined;
}

/**
 * Checks that the bucket policy lets the service role write: AWS requires it of the caller of
 * CreateExportTask. Only a bucket of another account must allow it. In its own account, the role has
 * permissions of its own, so the check is absent unless a statement denies it.
 */
export async function checkCallerPermission(
  query: CallerQuery,
  reading: Reading<string>,
): Promise<Check[]> {
  const { isOwn } = query;
  const policy = currentPolicy(reading);
  if (!policy) return isOwn ? [] : [unreadablePolicy(subject, reading, isOwn)];
  const [key, ...others] = testKeys(query.destinationPrefix);
  const more = others.flatMap((other) => callerWriteRequests(query, other));
  const deciding = isOwn ? withOwnPermissions(policy) : policy;
  const asked = await askPolicy(deciding, [[...callerWriteRequests(query, key), ...more]]);
  const { outcome } = asked.decision;
  if (isOwn && outcome === 'allowed') return [];
  if (isOwn === undefined && outcome === 'not-allowed') return [neededElsewhere];
  return [await toPolicyCheck(subject, asked, policy, () => missingStatements(policy, query))];
}

const neededElsewhere: Check = {
  name: 'caller-permission',
  verdict: 'unknown',
  detail:
    'The bucket policy does not allow the service role to write. It must if the bucket belongs to another account.',
  remedy: askFor('s3:ListBucket'),
};

/** A policy together with policies of the role that allow everything, as far as we know. */
function withOwnPermissions({ document, text }: CurrentPolicy): CurrentPolicy {
  const members = { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' };
  const own = { name: 'of the role', isDeny: false, members };
  return { text, document: { json: {}, statements: [...(document?.statements ?? []), own] } };
}
