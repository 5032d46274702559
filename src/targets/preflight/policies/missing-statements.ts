import type { NewStatement } from '../policy/merge-statements.ts';
import { askPolicy, type CurrentPolicy } from './ask-policy.ts';
import {
  type AlikeRequests,
  callerListRequests,
  callerReadRequests,
  callerWriteRequests,
  type PolicyExport,
  readAclRequests,
  writeRequests,
} from './export-requests.ts';
import { bucketStatements, callerStatement, verificationStatements } from './export-statements.ts';
import { sampleKey, testKeys } from './test-keys.ts';

/** An export for which a bucket policy may lack statements. */
export interface LackingExport extends Omit<PolicyExport, 'logGroupName'> {
  /** Without it, the statements must serve every prefix. */
  destinationPrefix?: string | undefined;
  logGroupNames?: readonly string[] | undefined;
  isOwn?: boolean | undefined;
  roleArn?: string | undefined;
}

/**
 * How many log groups of an export are looked at. A policy can differ by log group. Fewer: a statement about one log
 * group is missed. More: a policy with many wildcards keeps other requests waiting.
 */
export const maxExaminedLogGroups = 10;

/**
 * Finds the statements that a bucket policy lacks for an export. What the policy already allows, in whatever
 * form, is not added again.
 */
export async function missingStatements(
  policy: CurrentPolicy,
  exported: LackingExport,
): Promise<NewStatement[]> {
  const { bucket, destinationPrefix = '*', logGroupNames = [], isOwn } = exported;
  const keys = [...testKeys(destinationPrefix), sampleKey(destinationPrefix)];
  const names = [logGroupNames[0], ...logGroupNames.slice(1, maxExaminedLogGroups)];
  const ofLogs = names.map((logGroupName) => ({ ...exported, logGroupName }));
  const [acl, write] = bucketStatements(exported, bucket) as [NewStatement, NewStatement];
  const [list, read] = verificationStatements(exported, bucket);
  const needs: [NewStatement, AlikeRequests[]][] = [
    [acl, ofLogs.map(readAclRequests)],
    [write, ofLogs.flatMap((one) => keys.map((key) => writeRequests(one, key)))],
  ];
  if (isOwn === false) {
    needs.push(
      [callerStatement(exported, bucket), keys.map((key) => callerWriteRequests(exported, key))],
      [list, [callerListRequests(exported)]],
      [read, keys.map((key) => callerReadRequests(exported, key))],
    );
  }
  const missing: NewStatement[] = [];
  for (const [statement, requests] of needs) {
    const { decision } = await askPolicy(policy, requests as [AlikeRequests, ...AlikeRequests[]]);
    if (decision.outcome !== 'allowed') missing.push(statement);
  }
  return missing;
}
