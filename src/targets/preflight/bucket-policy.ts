import type { CallOptions } from '#aws/call-options.ts';
import { withDeadline } from '#aws/client/deadline.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '../target.ts';
import { currentPolicy } from './policies/ask-policy.ts';
import { bucketStatements, callerStatement } from './policies/export-statements.ts';
import { mergeStatements } from './policy/merge-statements.ts';
import { knownValue } from './readings.ts';

// How long a refusal waits for the current policy. Shorter: a slow answer loses the existing statements.
// Longer: the slot waits for what only explains.
const deadlineMs = 2_000;

/**
 * Adds a bucket policy to the refusal of a create, if AWS may not write to the bucket: the current one with
 * the missing statements. If the service role may not read it, the statements alone.
 */
export async function withBucketPolicy(
  refusal: Problem,
  target: Pick<OpenTarget, 'region' | 'accountId' | 'storage'>,
  bucket: string,
  options: CallOptions,
): Promise<Problem> {
  if (refusal.slug !== 'destination-not-writable') return refusal;
  const { region, accountId, storage } = target;
  const source = { region, accountId };
  const [policy, facts] = await withDeadline(deadlineMs, ({ abortSignal: signal }) =>
    Promise.all([
      storage.readBucketPolicy(bucket, { ...options, signal }),
      storage.readBucket(bucket, { ...options, signal }),
    ]),
  );
  // A bucket of another account must allow the caller of CreateExportTask, too.
  const isForeign = knownValue(facts)?.isOwn === false || /\bcaller\b/.test(refusal.detail);
  const bucketPolicy = mergeStatements(currentPolicy(policy)?.document, [
    ...bucketStatements(source, bucket),
    ...(isForeign ? [callerStatement(source, bucket)] : []),
  ]);
  return new Problem(refusal.slug, refusal.detail, { ...refusal.members, bucketPolicy });
}
