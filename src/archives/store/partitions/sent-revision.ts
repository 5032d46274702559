import { startOf } from '#coverage/ledger/units.ts';
import type { Queries } from '#database/database.ts';
import type { RevisedPartition } from './next-revision.ts';

/**
 * Reads the latest revision that was sent to AWS for the period of a partition, whatever became of it; 0 if none
 * was. A job that was withdrawn between two attempts has a prefix that must not be used again.
 */
export async function readSentRevision(
  queries: Queries,
  { archiveId, logGroupName, partitionBy, fromAt, toAt }: RevisedPartition,
): Promise<number> {
  const { latest } = await queries
    .selectFrom('jobs')
    .innerJoin('slices', (join) =>
      join.onRef('slices.jobId', '=', 'jobs.id').on('slices.number', '=', 0),
    )
    .select(({ fn }) => fn.max<number | null>('revision').as('latest'))
    .where('archiveId', '=', archiveId)
    .where('jobs.fromAt', '>=', startOf(fromAt, partitionBy))
    .where('jobs.fromAt', '<', toAt)
    .where('logGroupName', '=', logGroupName)
    .where(({ exists, selectFrom }) =>
      exists(selectFrom('attempts').select('attempt').whereRef('attempts.jobId', '=', 'jobs.id')),
    )
    .executeTakeFirstOrThrow();
  return latest ?? 0;
}
