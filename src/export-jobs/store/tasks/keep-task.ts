import type { Database, Queries } from '#database/database.ts';
import { lockJobIfThere } from '../lock-job.ts';

/** A job and its caller. */
interface OwnedJob {
  jobId: string;
  caller: string;
}

/**
 * Keeps the job of a task, also if AWS refuses the task later: its id is in an answer. Returns whether the job still
 * exists.
 */
export async function keepTask(database: Database, jobId: string): Promise<boolean> {
  return database.transaction(async (queries) => {
    const job = await lockJobIfThere(queries, jobId);
    if (!job) return false;
    const { caller } = job;
    await queries
      .insertInto('idempotencyKeys')
      .values({ caller, key: keyOf(jobId), digest: '', jobId, createdAt: database.now() })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return true;
  });
}

/** Whether `keepTask` has kept a job. Lock the job before. */
export async function isKept(queries: Queries, { jobId, caller }: OwnedJob): Promise<boolean> {
  const kept = await queries
    .selectFrom('idempotencyKeys')
    .select('key')
    .where('caller', '=', caller)
    .where('key', '=', keyOf(jobId))
    .executeTakeFirst();
  return kept !== undefined;
}

/** The key that marks a job as kept. It is deleted with the other keys of the job. */
const keyOf = (jobId: string) => `kept:${jobId}`;
