import type { Database, Queries } from '#database/database.ts';
import { recordEvent } from '#notifications/record-event.ts';
import { jobStateOf } from '../job-state.ts';
import { type SliceCounts, sliceStates } from '../slice.ts';

/** A job whose last open slice has ended. */
interface EndedJob {
  jobId: string;
  caller: string;
  target: string;
  archiveId: string | null;
  version: number;
  cancelRequestedAt: number | null;
}

/** Records the event that a job has ended, in the transaction of the end. It ends again after a retry. */
export async function recordEnd(
  queries: Queries,
  database: Pick<Database, 'now' | 'notify'>,
  { jobId, caller, target, archiveId, version, cancelRequestedAt }: EndedJob,
): Promise<void> {
  const subject = { caller, target, jobId, archiveId: archiveId ?? undefined, version };
  await recordEvent(queries, database, subject, async () => {
    const rows = await queries
      .selectFrom('slices')
      .select(({ fn }) => ['state', fn.countAll<number>().as('slices')])
      .where('jobId', '=', jobId)
      .groupBy('state')
      .execute();
    const none = sliceStates.map((state) => [state, 0]);
    const found = rows.map(({ state, slices }) => [state, slices]);
    const counts: SliceCounts = Object.fromEntries([...none, ...found]);
    const state = jobStateOf(counts, cancelRequestedAt !== null);
    return { type: `export_job.${state as 'completed' | 'failed' | 'cancelled'}`, data: { state } };
  });
}
