import { recordCoverage } from '#coverage/record-coverage.ts';
import type { OutageLog } from '#telemetry/outage-log.ts';
import { logFailedSlice, toFailedStep } from '../dispatcher/attempts/record-failed-attempt.ts';
import { toStored } from '../dispatcher/attempts/stored-problem.ts';
import type { SharedOptions } from '../dispatcher/replica/dispatcher-options.ts';
import { recordStep, type Step } from '../store/steps/record-step.ts';
import type { ClaimedVerification } from '../store/verifications/claim-verification.ts';
import { guardVerification } from '../store/verifications/due-verifications.ts';
import { toColumns } from '../store/verifications/findings.ts';
import { endVerification } from '../store/verifications/record-verification.ts';
import type { Verdict } from './verify-export.ts';

/** A verdict that ends a verification. */
type FinalVerdict = Exclude<Verdict, { outcome: 'look-again' }>;

/** What recording a verdict needs. */
interface RecordOptions extends SharedOptions {
  /** The log of failed slices. */
  slices: OutageLog;
}

/**
 * Records the end of a verification and the step of its slice in one transaction. The slice is completed, or
 * its attempt has failed.
 * @throws an error named StaleState when another process has the verification
 */
export async function recordVerdict(
  options: RecordOptions,
  claim: ClaimedVerification,
  verdict: FinalVerdict,
): Promise<void> {
  const { database, timings, random, slices, reach = async () => {} } = options;
  const verifying = { ...claim, state: 'verifying' } as const;
  const guard = guardVerification(database, claim, timings.leaseMs);
  const reachInside = () => reach('in-verdict');
  if (verdict.outcome !== 'incomplete') {
    await recordStep(database, guard, verifying, toCompleted(options, claim, verdict), reachInside);
    return;
  }
  const problem = toStored(verdict.problem);
  const failed = {
    problem,
    count: 'failures',
    pauseMs: claim.isTask ? undefined : timings.retryAfterMs[claim.failures],
    attempt: { outcome: 'failed' },
    by: { action: 'VerifyExport' },
  } as const;
  const { step, readyInMs } = toFailedStep(claim, failed, random);
  const { submittedAt, taskCreatedAt, taskCompletedAt } = claim;
  const ranMs = Math.max(0, (taskCompletedAt ?? submittedAt) - (taskCreatedAt ?? submittedAt));
  // An export at which nobody could look is not known to be in vain.
  const keptMs = verdict.problem.slug === 'target-not-found' ? undefined : ranMs;
  const alsoRecord: Step['alsoRecord'] = (queries) =>
    endVerification(queries, database, claim, { method: null });
  await recordStep(
    database,
    guard,
    verifying,
    { ...step, ...(keptMs !== undefined && { keptMs }), alsoRecord },
    reachInside,
  );
  logFailedSlice(
    { outages: { slices }, target: { name: claim.target } },
    claim,
    problem,
    readyInMs,
  );
}

function toCompleted(
  { database }: Pick<RecordOptions, 'database'>,
  claim: ClaimedVerification,
  verdict: Exclude<FinalVerdict, { outcome: 'incomplete' }>,
): Step {
  const { slice, attempt, taskId } = claim;
  const isVerified = verdict.outcome === 'complete';
  const manifest = isVerified ? verdict.manifest : undefined;
  const proof = { manifestKey: manifest?.key ?? null, manifestSha256: manifest?.sha256 ?? null };
  const found = isVerified ? toColumns(verdict.findings) : undefined;
  const isProved = isVerified && verdict.findings.evidence.emptiness?.isExhaustive !== false;
  return {
    to: 'completed',
    slice: { problem: null },
    attempt: {},
    change: { type: 'slice-completed', slice, attempt, taskId },
    by: { action: 'VerifyExport', manifestSha256: manifest?.sha256 },
    async alsoRecord(queries) {
      await endVerification(queries, database, claim, { method: 'skipped', ...found, ...proof });
      // Without objects, only the search for log events proves that none are missing.
      if (found && isProved) await recordCoverage(queries, database, claim, { ...found, ...proof });
    },
  };
}
