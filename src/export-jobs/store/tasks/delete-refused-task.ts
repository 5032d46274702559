import type { Database } from '#database/database.ts';
import { lockJob } from '../lock-job.ts';
import { readTasks } from './read-tasks.ts';

/**
 * Deletes the job of a task that AWS has refused, and its keys, in one transaction. So its client can send it again,
 * as at AWS. The audit keeps it. Returns whether it did: not if the job was retried since.
 */
export async function deleteRefusedTask(database: Database, jobId: string): Promise<boolean> {
  return database.transaction(async (queries) => {
    await lockJob(queries, jobId);
    const task = (await readTasks(database, queries, [jobId])).get(jobId);
    if (task?.state !== 'failed' || task.attempt !== 1) return false;
    await queries.deleteFrom('idempotencyKeys').where('jobId', '=', jobId).execute();
    await queries.deleteFrom('events').where('jobId', '=', jobId).execute();
    await queries.deleteFrom('attempts').where('jobId', '=', jobId).execute();
    await queries.deleteFrom('slices').where('jobId', '=', jobId).execute();
    await queries.deleteFrom('jobs').where('id', '=', jobId).execute();
    return true;
  });
}
