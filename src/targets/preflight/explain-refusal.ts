import type { CallOptions } from '#aws/call-options.ts';
import { withDeadline } from '#aws/client/deadline.ts';
import { defaultDestinationPrefix } from '#aws/destination-prefix.ts';
import { isAboutKey } from '#aws/error-table.ts';
import { retryTheJob } from '#problems/catalogue/problem-kind.ts';
import { Problem } from '#problems/problem.ts';
import type { Log } from '#telemetry/log.ts';
import type { OpenTarget } from '../target.ts';
import type { Check } from './check.ts';
import { checkBucketPolicy } from './checks/bucket-policy-check.ts';
import { checkCallerPermission } from './checks/caller-permission-check.ts';
import { checkEncryption } from './checks/encryption-checks.ts';
import { readDecisive } from './destination-readings.ts';
import { currentPolicy } from './policies/ask-policy.ts';
import { bucketStatements, foreignStatements } from './policies/export-statements.ts';
import { missingStatements } from './policies/missing-statements.ts';
import { mergeStatements } from './policy/merge-statements.ts';
import { knownValue } from './readings.ts';

/** An export that AWS has refused. */
export interface RefusedExport {
  logGroupName: string;
  destination: string;
  destinationPrefix?: string | undefined;
}

// How long a refusal waits for the settings of the bucket. Shorter: a slow answer loses the existing
// statements. Longer: the slot waits for what only explains.
const deadlineMs = 2_000;

/** The target of an export that AWS has refused. */
type RefusingTarget = Pick<OpenTarget, 'name' | 'region' | 'accountId' | 'roleArn' | 'storage'>;

/**
 * Adds the cause to the refusal of a create, if AWS may not write to the bucket and the cause is found. If it
 * is the bucket policy, the problem gets the one to paste. Never throws: then the refusal stays as AWS said it.
 */
export async function explainRefusal(
  refusal: Problem,
  target: RefusingTarget,
  refused: RefusedExport,
  { caller, log }: Pick<CallOptions, 'caller'> & { log: Log },
): Promise<Problem> {
  if (refusal.slug !== 'destination-not-writable') return refusal;
  return explain(refusal, target, refused, { caller }).catch((err: Error) => {
    log.warn({ target: target.name, err }, 'failed to explain why AWS refused a create');
    return refusal;
  });
}

async function explain(
  refusal: Problem,
  target: RefusingTarget,
  refused: RefusedExport,
  options: CallOptions,
): Promise<Problem> {
  const { region, accountId, roleArn, storage } = target;
  const { destination: bucket, logGroupName } = refused;
  const { destinationPrefix = defaultDestinationPrefix } = refused;
  const source = { region, accountId };
  const readings = await withDeadline(deadlineMs, ({ abortSignal: signal }) =>
    readDecisive(storage, bucket, { ...options, signal }),
  );
  const isOwn = knownValue(readings.bucket)?.isOwn;
  const logGroupNames = [logGroupName];
  const query = { ...source, bucket, destinationPrefix, logGroupNames, isOwn, roleArn };
  const checks = [
    await checkBucketPolicy(query, readings.policy),
    ...(await checkCallerPermission(query, readings.policy)),
    ...(await checkEncryption({ ...source, logGroupName }, readings)),
  ];
  const failed = checks.filter(({ verdict }) => verdict === 'fail');
  if (failed.length > 0) {
    const detail = [refusal, ...failed].map((one) => one.detail).join(' ');
    return new Problem(refusal.slug, detail, { ...refusal.members, ...helpOf(failed) });
  }
  // A bucket of another account must allow the caller of CreateExportTask, too.
  const isAboutCaller = /\bcaller\b/.test(refusal.detail) && isOwn !== true;
  const policy = currentPolicy(readings.policy);
  if ((policy && !isAboutCaller) || isAboutKey(refusal.detail)) return refusal;
  const isForeign = isOwn === false || isAboutCaller;
  const statements = policy
    ? await missingStatements(policy, { ...query, isOwn: !isForeign })
    : [
        ...bucketStatements(source, bucket),
        ...(isForeign ? foreignStatements(source, bucket) : []),
      ];
  if (statements.length === 0) return refusal;
  const bucketPolicy = mergeStatements(policy?.document, statements);
  const remedy = `${policy ? replacePolicy : addStatements} ${after}`;
  return new Problem(refusal.slug, refusal.detail, { ...refusal.members, bucketPolicy, remedy });
}

const after = `Then send the request again. ${retryTheJob}`;
const replacePolicy =
  'Replace the bucket policy with `bucketPolicy`, which keeps the existing statements. For a slice, `failures` of the job has it.';
const addStatements =
  'Add the statements of `bucketPolicy` to the bucket policy. This service does not know its existing statements. For a slice, `failures` of the job has the new ones. If the bucket policy already has them, check the default encryption of the bucket and the s3:PutObject permission of the service role.';
const replaceKeyPolicy =
  'Replace the key policy with the one that POST /preflights shows as `fix` of `key-policy`.';

/** What a problem says of checks that failed: what to do, and the bucket policy if it is a cause. */
export function helpOf(failed: readonly Check[]): { remedy: string; bucketPolicy?: object } {
  const remedies = new Set(failed.map(remedyOf)); // a bucket policy can fail two checks
  const bucketPolicy = failed.find(({ name, fix }) => fix && name !== 'key-policy')?.fix;
  const remedy = [...remedies, after].join(' ');
  return { remedy, ...(bucketPolicy && { bucketPolicy }) };
}

function remedyOf({ name, remedy = '', fix }: Check): string {
  if (!fix) return remedy;
  return name === 'key-policy' ? replaceKeyPolicy : replacePolicy;
}
