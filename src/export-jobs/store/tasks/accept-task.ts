import type { Database } from '#database/database.ts';
import { lockJobIfThere } from '../lock-job.ts';
import { type Acceptance, acceptJob } from '../requests/accept-job.ts';
import { findJobOfKey, type KeyUse } from '../requests/idempotency-key.ts';

/** What accepting a task needs: its request has at least one key. */
export type TaskAcceptance = Omit<Acceptance, 'keyUse' | 'furtherKeyUses' | 'partition'> & {
  keyUses: readonly [KeyUse, ...KeyUse[]];
};

/** The job of a task. */
export interface AcceptedTask {
  jobId: string;
  /** Whether this request has created it. */
  isNew: boolean;
  /** Whether it was deleted long after its end. Its keys are kept for a while. */
  isDeleted: boolean;
}

/**
 * Puts the job of a task into the queue, in one transaction. When one of its keys already has a job, it writes only
 * the other keys, for that job.
 * @throws Problem idempotency-key-reused, too-many-waiting-slices
 */
export async function acceptTask(
  database: Database,
  { keyUses: [keyUse, ...furtherKeyUses], ...acceptance }: TaskAcceptance,
): Promise<AcceptedTask> {
  const jobId = await acceptJob(database, { ...acceptance, keyUse, furtherKeyUses });
  return { jobId, isNew: jobId === acceptance.jobId, isDeleted: false };
}

/** The first requests of a task, by their keys. */
interface SentKeys {
  caller: string;
  /** The last one decides. */
  keyUses: readonly KeyUse[];
  now: number;
}

/**
 * Finds the job of a task that was sent before, and writes the keys that are new for it: so a copy of this request is
 * recognised, too. `undefined` if all keys are new, or if AWS has refused the task and its job is deleted.
 * @throws Problem idempotency-key-reused
 */
export async function findSentTask(
  database: Database,
  { caller, keyUses, now }: SentKeys,
): Promise<AcceptedTask | undefined> {
  return database.transaction(async (queries) => {
    let known: string | undefined;
    for (const keyUse of keyUses) known = (await findJobOfKey(queries, caller, keyUse)) ?? known;
    if (known === undefined) return undefined;
    const jobId = known;
    // Locks the job: its keys may be deleted with it at this moment.
    if (await lockJobIfThere(queries, jobId)) {
      await queries
        .insertInto('idempotencyKeys')
        .values(keyUses.map((keyUse) => ({ ...keyUse, caller, jobId, createdAt: now })))
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return { jobId, isNew: false, isDeleted: false };
    }
    const kept = await queries
      .selectFrom('idempotencyKeys')
      .select('key')
      .where('caller', '=', caller)
      .where('jobId', '=', jobId)
      .executeTakeFirst();
    return kept && { jobId, isNew: false, isDeleted: true };
  });
}
