import type { Database, Queries } from '#database/database.ts';

/** What happened to a job or one of its slices, as its watchers are told. */
export type JobChange =
  | { type: 'job-accepted'; slices: number }
  | { type: 'job-cancel-requested' }
  | { type: 'slices-cancelled'; slices: number }
  | { type: 'slices-retried'; slices: number }
  | { type: 'slice-starting'; slice: number; attempt: number }
  | { type: 'slice-running'; slice: number; attempt: number; taskId: string }
  | { type: 'slice-waiting'; slice: number; attempt: number; readyInMs: number; problem: string }
  | { type: 'slice-cancelling'; slice: number; attempt: number; taskId: string }
  | { type: 'slice-completed'; slice: number; attempt: number; taskId: string }
  | { type: 'slice-failed'; slice: number; attempt: number; problem: string }
  | { type: 'slice-cancelled'; slice: number; attempt: number };

/**
 * Writes down what changed in a job, in the transaction of the change: its version grows by one, and
 * the event has that number. Locks the job's row until the transaction ends.
 */
export async function recordChange(
  queries: Queries,
  database: Pick<Database, 'now'>,
  jobId: string,
  change: JobChange | ((isCancelRequested: boolean) => JobChange),
): Promise<void> {
  const { version, cancelRequestedAt } = await queries
    .updateTable('jobs')
    .set((row) => ({ version: row('version', '+', 1) }))
    .where('id', '=', jobId)
    .returning(['version', 'cancelRequestedAt'])
    .executeTakeFirstOrThrow();
  const { type, ...data } =
    typeof change === 'function' ? change(cancelRequestedAt !== null) : change;
  await queries
    .insertInto('events')
    .values({ jobId, version, at: database.now(), type, data: JSON.stringify(data) })
    .execute();
}
