import { withDeadline } from '#aws/client/deadline.ts';
import { setAsNewest } from '#caching/bounded-map.ts';
import type { ProblemSlug } from '#problems/catalogue.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '../target.ts';
import type { Check } from './check.ts';
import { checkBucket } from './checks/bucket-checks.ts';
import { checkAclPermission } from './checks/bucket-policy-check.ts';
import { checkEncryption } from './checks/encryption-checks.ts';
import { readDecisive } from './destination-readings.ts';
import { helpOf } from './explain-refusal.ts';

/** Finds why AWS refuses every export to a bucket; `undefined` if it may accept one. It never throws. */
export type FindDestinationRefusal = (
  target: Pick<OpenTarget, 'name' | 'region' | 'accountId' | 'storage'>,
  bucket: string,
  caller: string,
) => Promise<Problem | undefined>;

// How long a bucket without a refusal is not read again. Shorter: many jobs of one slice cost calls to S3 for
// each. Longer: a bucket that was deleted is found by a create.
const keptMs = 60_000;
// Each is some hundred bytes. Fewer: buckets of many targets are read again. More: they fill the memory.
const maxKept = 1_000;

/** What the look at a destination needs. */
export interface DestinationPreflightOptions {
  /** A clock that only goes forward, in ms. */
  elapsed: () => number;
  /** How long a slice waits for it, in ms. What is not known by then is no refusal. */
  deadlineMs: number;
}

/**
 * Makes the look at a destination before the first slice of a job. It finds only what concerns every log
 * group and prefix. A refusal is not kept: the bucket may be mended.
 */
export function makeDestinationPreflight({
  elapsed,
  deadlineMs,
}: DestinationPreflightOptions): FindDestinationRefusal {
  const known = new Map<string, { refusal: Promise<Problem | undefined>; until: number }>();

  return async function findRefusal(target, bucket, caller) {
    const { name, accountId, region } = target;
    const key = JSON.stringify([name, accountId, region, bucket]);
    const kept = known.get(key);
    if (kept && kept.until > elapsed()) return kept.refusal;
    const entry = {
      // Whatever goes wrong here, the create decides.
      refusal: lookFor(target, bucket, { caller, deadlineMs }).catch(() => undefined),
      until: Number.POSITIVE_INFINITY,
    };
    setAsNewest(known, key, entry, maxKept);
    const refusal = await entry.refusal;
    entry.until = refusal ? Number.NEGATIVE_INFINITY : elapsed() + keptMs;
    return refusal;
  };
}

async function lookFor(
  { region, accountId, storage }: Parameters<FindDestinationRefusal>[0],
  bucket: string,
  { caller, deadlineMs }: { caller: string; deadlineMs: number },
): Promise<Problem | undefined> {
  const source = { region, accountId };
  const readings = await withDeadline(deadlineMs, ({ abortSignal: signal }) =>
    readDecisive(storage, bucket, { caller, signal }),
  );
  const failed = (checks: readonly Check[]) => checks.find(({ verdict }) => verdict === 'fail');
  const absence = failed(checkBucket({ bucket, region }, readings.bucket));
  // A proxy for CloudWatch Logs alone may answer 404 to HeadBucket. Only S3 answers NoSuchBucket.
  const isCertain = readings.bucket.outcome === 'known' || readings.policy.outcome === 'absent';
  if (absence) return isCertain ? toProblem('destination-not-found', absence) : undefined;
  const refusal =
    failed([await checkAclPermission({ ...source, bucket }, readings.policy)]) ??
    failed(await checkEncryption(source, readings));
  return refusal && toProblem('destination-not-writable', refusal);
}

function toProblem(slug: ProblemSlug, check: Check): Problem {
  return new Problem(slug, `${check.detail} No export task was created.`, helpOf([check]));
}
