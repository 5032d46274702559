import type { Database } from '#database/database.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import { readClock } from '../queue/read-queue.ts';
import {
  deleteIdsOfJobs,
  deleteKeysOfJobs,
  deleteRowsOfJobs,
  rowsDueInMs,
} from './deleted-jobs.ts';
import type { Deleted, DeletionStep } from './deletion-step.ts';
import { deleteDeliveries, deleteSurplus } from './expired-deliveries.ts';
import { deleteExpiredJobs, storeMissingEnds } from './expired-jobs.ts';
import { deleteAuditEntries, deleteOrphans } from './expired-records.ts';
import { holdPurgeLease, releasePurgeLease } from './purge-lease.ts';
import { deleteUnusedQueues } from './unused-queues.ts';

/** How long things are kept, in ms; 0 means always. */
export interface KeepTimes {
  finishedJobsMs: number;
  auditMs: number;
}

/** What the purge needs. */
export interface PurgeOptions {
  database: Database;
  /** The name of this process: unique among all processes that use the database. */
  owner: string;
  keep: KeepTimes;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  sleep: AbortableSleep;
}

/** How much one transaction deletes, and how long the next one waits. */
const purgePace = {
  // Fewer: a transaction costs more than what it deletes.
  minRows: 100,
  // More: one transaction takes so long on SQLite that requests notice it.
  maxRows: 500,
  // The number of rows adapts, so that a transaction takes at most this time on a slow disk. Longer: a
  // request waits for longer than 0.1 s, which is twice as long.
  transactionMs: 50,
  // The share of the time that transactions take. Lower: deleting takes longer. Higher: more requests meet
  // a transaction. On SQLite they wait for it, so 99 of 100 should meet none.
  maxShare: { sqlite: 0.002, postgres: 0.05 },
  // Longer: a transaction that a busy machine delayed ends the lease.
  maxPauseMs: 60_000,
  // Pages of a file that are given back at once.
  compactPages: 100,
};

/**
 * Deletes everything that is due, in small transactions with pauses, until nothing is left, another
 * replica does it, or `stop` aborts. After a kill at any point, the next purge continues. `count` is called
 * after each transaction. Returns in how many ms more is due: the rest of the jobs that were just deleted.
 */
export async function purge(
  options: PurgeOptions,
  count: (deleted: Deleted) => void,
  stop: AbortSignal,
): Promise<number | undefined> {
  const { database, owner, keep, elapsed, sleep } = options;
  let maxRows = purgePace.minRows;
  let isOurs = true;

  for (const step of stepsOf(keep)) await repeat(() => transact(step));
  if (!isOurs || stop.aborted) return undefined;
  await repeat(() => database.compact(purgePace.compactPages));
  const dueInMs = await rowsDueInMs(database.queries, await readClock(database));
  if (dueInMs === undefined) await releasePurgeLease(database, owner);
  return dueInMs;

  /** Takes a step in a transaction of its own. Returns whether there may be more to do. */
  async function transact(step: DeletionStep): Promise<boolean> {
    const deleted = await database.transaction(async (queries) => {
      const at = await holdPurgeLease(queries, database, owner);
      isOurs = at !== undefined;
      return at === undefined ? undefined : step({ queries, kind: database.kind, at, maxRows });
    });
    if (deleted) count(deleted);
    return deleted !== undefined;
  }

  /** Repeats an act until there is no more to do. Pauses after each, and adapts `maxRows`. */
  async function repeat(act: () => Promise<boolean>): Promise<void> {
    for (let isMore = true; isMore && isOurs && !stop.aborted; ) {
      const beganAt = elapsed();
      isMore = await act();
      await database.checkpoint();
      const tookMs = elapsed() - beganAt;
      const ideal = Math.min(maxRows * 2, (maxRows * purgePace.transactionMs) / tookMs);
      maxRows = Math.round(Math.min(purgePace.maxRows, Math.max(purgePace.minRows, ideal)));
      const pauseMs = tookMs * (1 / purgePace.maxShare[database.kind] - 1);
      await sleep(Math.min(pauseMs, purgePace.maxPauseMs), stop);
    }
  }
}

/** The steps in their order: each is repeated until it has nothing to do. */
function stepsOf({ finishedJobsMs, auditMs }: KeepTimes): DeletionStep[] {
  return [
    ...(finishedJobsMs > 0
      ? [storeMissingEnds(finishedJobsMs), deleteExpiredJobs(finishedJobsMs)]
      : []),
    deleteRowsOfJobs,
    deleteKeysOfJobs,
    deleteUnusedQueues(),
    deleteIdsOfJobs,
    deleteOrphans,
    deleteDeliveries,
    deleteSurplus(),
    ...(auditMs > 0 ? [deleteAuditEntries(auditMs)] : []),
  ];
}
