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
  /** Whether it has no objects, and log events could have expired under an earlier retention. */
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
  const doubt = await readDoubt(queries, jobId);
  const { skippedSlices, unprovenSlices } = totals;
  return {
    isSkipped: skippedSlices > 0,
    isUnproven: unprovenSlices > 0,
    isDoubtful: doubt !== undefined,
    ...toProofGaps(totals),
  };
}

/** Reads until when an export without objects proves nothing now, if that of a job proved nothing for this reason. */
export function readDoubt(queries: Queries, jobId: string) {
  return queries
    .selectFrom('coverage')
    .innerJoin('archiveLogGroups as groups', (on) =>
      on
        .onRef('groups.archiveId', '=', 'coverage.archiveId')
        .onRef('groups.logGroupName', '=', 'coverage.logGroupName')
        .onRef('groups.incarnation', '=', 'coverage.incarnation'),
    )
    .select('doubtfulUntilAt')
    .where('jobId', '=', jobId)
    .where('isVoid', '=', 1)
    .where('isEmpty', '=', 1)
    .where('doubtfulUntilAt', 'is not', null)
    .$narrowType<{ doubtfulUntilAt: number }>()
    .executeTakeFirst();
}
