import type { Reading } from '#aws/storage/storage.ts';
import type { Check } from '../check.ts';
import { askPolicy, type CurrentPolicy, currentPolicy } from '../policies/ask-policy.ts';
import {
  type AlikeRequests,
  type PolicyExport,
  readAclRequests,
  writeRequests,
} from '../policies/export-requests.ts';
import { maxExaminedLogGroups, missingStatements } from '../policies/missing-statements.ts';
import { type PolicySubject, toPolicyCheck, unreadablePolicy } from '../policies/policy-check.ts';
import { sampleKey, testKeys } from '../policies/test-keys.ts';

/** A bucket, the prefix, and the log groups that are exported there. */
export interface PolicyQuery extends Omit<PolicyExport, 'logGroupName'> {
  destinationPrefix: string;
  logGroupNames: readonly string[];
  /** Whether the bucket belongs to the account of the target; `undefined` if that is unknown. */
  isOwn: boolean | undefined;
}

const subject: PolicySubject = {
  name: 'bucket-policy',
  policy: 'The bucket policy',
  caller: 'CloudWatch Logs',
  permission: 's3:GetBucketPolicy',
};

/** Checks that the bucket policy lets CloudWatch Logs write the objects. */
export async function checkBucketPolicy(
  query: PolicyQuery,
  reading: Reading<string>,
): Promise<Check> {
  const policy = currentPolicy(reading);
  if (!policy) return unreadablePolicy(subject, reading, query.isOwn);
  const lacking = () => missingStatements(policy, query);
  const created = await askPolicy(policy, questionsOf(query, policy));
  if (created.decision.outcome !== 'allowed') {
    return toPolicyCheck(subject, created, policy, lacking);
  }
  // AWS tests only its own object when it creates a task.
  const exported = { ...query, logGroupName: query.logGroupNames[0] };
  const written = await askPolicy(policy, [
    writeRequests(exported, sampleKey(query.destinationPrefix)),
  ]);
  const check = await toPolicyCheck(subject, written, policy, lacking);
  if (check.verdict !== 'fail') return check;
  const detail = `AWS accepts the export, because it may write its test object. ${check.detail}`;
  return { ...check, verdict: 'warn', detail };
}

/** Checks that the bucket policy lets CloudWatch Logs begin an export of any log group to any prefix. */
export async function checkAclPermission(
  exported: PolicyExport,
  reading: Reading<string>,
): Promise<Check> {
  const policy = currentPolicy(reading);
  if (!policy) return unreadablePolicy(subject, reading, undefined);
  const asked = await askPolicy(policy, [readAclRequests(exported)]);
  return toPolicyCheck(subject, asked, policy, () => missingStatements(policy, exported));
}

/** The calls of CloudWatch Logs that decide a create, in their order. */
function questionsOf(
  query: PolicyQuery,
  { text }: CurrentPolicy,
): [AlikeRequests, ...AlikeRequests[]] {
  const { logGroupNames, destinationPrefix } = query;
  const isByLogGroup = /aws:SourceArn/i.test(text);
  const [first, ...others] = logGroupNames.slice(0, isByLogGroup ? maxExaminedLogGroups : 1);
  const ask = (logGroupName: string | undefined): [AlikeRequests, AlikeRequests] => {
    const exported = { ...query, logGroupName };
    const [key, ...keys] = testKeys(destinationPrefix);
    const more = keys.flatMap((other) => writeRequests(exported, other));
    return [readAclRequests(exported), [...writeRequests(exported, key), ...more]];
  };
  return [...ask(first), ...others.flatMap(ask)];
}
