import type { Database } from '#database/database.ts';
import { withdrawEvents } from '#notifications/outbox/withdraw-events.ts';
import { lockJob } from '../lock-job.ts';
import { isKept } from './keep-task.ts';
import { readTasks } from './read-tasks.ts';

/**
 * Deletes the job of a task that AWS has refused, with its keys and the events that nobody has got, in one
 * transaction. So its client can send it again, as at AWS. The audit keeps it. Returns whether it did: not if the job
 * was retried since, or if it is kept.
 */
export async function deleteRefusedTask(database: Database, jobId: string): Promise<boolean> {
  return database.transaction(async (queries) => {
    const job = await lockJob(queries, jobId);
    const task = (await readTasks(database, queries, [jobId])).get(jobId);
    if (task?.state !== 'failed' || task.attempt !== 1) return false;
    if (await isKept(queries, { jobId, caller: job.caller })) return false;
    await withdrawEvents(queries, { jobId, ...job });
    await queries.deleteFrom('idempotencyKeys').where('jobId', '=', jobId).execute();
    await queries.deleteFrom('events').where('jobId', '=', jobId).execute();
    await queries.deleteFrom('attempts').where('jobId', '=', jobId).execute();
    await queries.deleteFrom('slices').where('jobId', '=', jobId).execute();
    await queries.deleteFrom('jobs').where('id', '=', jobId).execute();
    return true;
  });
}
