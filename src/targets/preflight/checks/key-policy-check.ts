import type { Reading } from '#aws/storage/storage.ts';
import type { Check } from '../check.ts';
import { askPolicy, currentPolicy } from '../policies/ask-policy.ts';
import { useKeyRequests } from '../policies/export-requests.ts';
import { type ExportSource, keyStatement } from '../policies/export-statements.ts';
import { type PolicySubject, toPolicyCheck, unreadablePolicy } from '../policies/policy-check.ts';

const subject: PolicySubject = {
  name: 'key-policy',
  policy: 'The key policy',
  caller: 'CloudWatch Logs',
  permission: 'kms:GetKeyPolicy',
};

/** Checks that the key policy lets CloudWatch Logs encrypt the objects. */
export async function checkKeyPolicy(
  query: ExportSource & { keyArn: string; logGroupName?: string | undefined },
  reading: Reading<string>,
): Promise<Check> {
  const policy = currentPolicy(reading);
  if (!policy) return unreadablePolicy(subject, reading, undefined);
  const asked = await askPolicy(policy, [
    useKeyRequests(query, 'kms:GenerateDataKey'),
    useKeyRequests(query, 'kms:Decrypt'),
  ]);
  return toPolicyCheck(subject, asked, policy, async () => [keyStatement(query)]);
}
