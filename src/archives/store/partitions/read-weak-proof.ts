import type { Queries } from '#database/database.ts';
import {
  type ProofGaps,
  toProofGaps,
  verifiedTotals,
} from '#export-jobs/store/verifications/read-verifications.ts';

/** What the verifications of a completed job lacked. */
interface WeakProof extends ProofGaps {
  /** Whether an export was not verified, because the service role may not list its objects. */
  isSkipped: boolean;
  /** Whether an export has no objects, and nothing proves that its time range has no log events. */
  isUnproven: boolean;
  /** Whether it has no objects, and log events can have expired under an earlier retention. */
  isDoubtful: boolean;
}

/** Reads what the verifications of a completed job lacked. */
export async function readWeakProof(queries: Queries, jobId: string): Promise<WeakProof> {
  const totals = await queries
    .selectFrom('verifications')
    .select([...verifiedTotals])
    .where('jobId', '=', jobId)
    .where('endedAt', 'is not', null)
    .where('method', 'is not', null)
    .executeTakeFirstOrThrow();
  const doubtful = await queries
    .selectFrom('coverage')
    .select('jobId')
    .where('jobId', '=', jobId)
    .where('isVoid', '=', 1)
    .where('isEmpty', '=', 1)
    .executeTakeFirst();
  const { skippedSlices, unprovenSlices } = totals;
  return {
    isSkipped: skippedSlices > 0,
    isUnproven: unprovenSlices > 0,
    isDoubtful: doubtful !== undefined,
    ...toProofGaps(totals),
  };
}
