import type { Reading } from '#aws/storage/storage.ts';
import type { Check } from '../check.ts';
import { mergeStatements, type NewStatement } from '../policy/merge-statements.ts';
import { isRead, unreadable } from '../readings.ts';
import { type Asked, type CurrentPolicy, explainDecision, isRefused } from './ask-policy.ts';

/** A check of a policy: its name, whose policy it is, and who needs it. */
export interface PolicySubject {
  name: 'bucket-policy' | 'caller-permission' | 'key-policy';
  policy: 'The bucket policy' | 'The key policy';
  caller: 'CloudWatch Logs' | 'the service role';
  /** What the service role needs to read the policy. */
  permission: 's3:GetBucketPolicy' | 'kms:GetKeyPolicy';
}

/**
 * Makes the check of a policy that could not be read, or was not understood. S3 shows a bucket policy only
 * to the account of the bucket.
 */
export function unreadablePolicy(
  subject: PolicySubject,
  reading: Reading<string>,
  isOwn: boolean | undefined,
): Check {
  const { name, policy, permission, caller } = subject;
  if (!isRead(reading) && isOwn === false) {
    return {
      name,
      verdict: 'unknown',
      detail: `${policy} belongs to another account, which alone may read it.`,
      remedy: `Ask the owner of the bucket whether the policy allows ${caller} to write.`,
    };
  }
  if (!isRead(reading)) {
    return unreadable(name, { what: policy.replace('The', 'the'), permission }, reading);
  }
  return {
    name,
    verdict: 'unknown',
    detail: `${policy} has something that this service does not understand.`,
  };
}

/** Makes a check of a decision. A refusal that more statements can mend has the whole policy with them. */
export async function toPolicyCheck(
  subject: PolicySubject,
  asked: Asked,
  current: CurrentPolicy,
  lacking: () => Promise<readonly NewStatement[]>,
): Promise<Check> {
  const { name, policy, caller } = subject;
  if (asked.decision.outcome === 'allowed') {
    return { name, verdict: 'pass', detail: `${policy} allows what ${caller} needs.` };
  }
  const texts = explainDecision(subject, asked);
  if (!isRefused(asked)) return { name, verdict: 'unknown', ...texts };
  // A statement that denies wins over any that allows.
  if (asked.decision.outcome === 'denied') return { name, verdict: 'fail', ...texts };
  const fix = mergeStatements(current.document, await lacking());
  return { name, verdict: 'fail', ...texts, fix };
}
