import type { Database, Queries } from '#database/database.ts';
import { whereActive, whereWaiting } from '../slice-conditions.ts';

/** Watches the clock of the database with one that only goes forward. */
export interface DatabaseClock {
  /**
   * Notes that the database's clock showed `now` at some moment between `beganAt` and this one.
   * Returns how far it was certainly set back since the reading before, in ms; 0 when it was not.
   */
  see(now: number, beganAt: number): number;
}

// Clocks are kept right by setting them back some milliseconds; nothing here is felt by that.
const toleranceMs = 1_000;

/** Makes such a watch; nothing is known before the first reading. */
export function makeDatabaseClock(elapsed: () => number): DatabaseClock {
  let last: { now: number; endedAt: number } | undefined;
  return {
    see(now, beganAt) {
      // At least so much time lies between the two readings, however long each of them took.
      const sinceMs = last ? beganAt - last.endedAt : 0;
      const backMs = last ? last.now + sinceMs - now : 0;
      last = { now, endedAt: elapsed() };
      return backMs > toleranceMs ? Math.floor(backMs) : 0;
    },
  };
}

/**
 * How far the clock of the database has been set back, in ms, as far as the rows of a target show it;
 * 0 when they do not. A slice became ready in the future that is in the slot already, or that never
 * had a reason to wait.
 */
export async function findSetBackMs({ queries, now }: Database, target: string): Promise<number> {
  const latest = queries
    .selectFrom('slices')
    .select((row) => row(row.fn.max('readyAt'), '-', now()).as('backMs'))
    .where('target', '=', target);
  // Two statements: each has an index of its own, and both together have none.
  const [inSlot, waiting] = await Promise.all([
    latest.where(whereActive).executeTakeFirstOrThrow(),
    latest
      .where(whereWaiting)
      .where('notBeforeAt', 'is', null)
      .where('attempt', '=', 0)
      .executeTakeFirstOrThrow(),
  ]);
  const backMs = Math.max(inSlot.backMs ?? 0, waiting.backMs ?? 0);
  return backMs > toleranceMs ? backMs : 0;
}

/**
 * Makes the waits of a target as long as they were before the clock of the database was set back by
 * `backMs`, also of the slice in the slot, which may have to wait again. A slice whose log events are
 * still settling goes on waiting: that is a date, not a wait.
 */
export async function shortenWaits(
  queries: Queries,
  { now }: Pick<Database, 'now'>,
  target: string,
  backMs: number,
): Promise<void> {
  for (const whereWaitTooLong of [whereWaiting, whereActive]) {
    await queries
      .updateTable('slices')
      .set((row) => ({ readyAt: row('readyAt', '-', backMs) }))
      .where('target', '=', target)
      .where(whereWaitTooLong)
      .where('readyAt', '>', now())
      .where((row) => row.or([row('notBeforeAt', 'is', null), row('notBeforeAt', '<=', now())]))
      .execute();
  }
  await queries
    .updateTable('lines')
    .set((row) => ({
      asideUntil: row('asideUntil', '-', backMs),
      watchedUntil: row('watchedUntil', '-', backMs),
    }))
    .where('target', '=', target)
    .where((row) => row.or([row('asideUntil', '>', now()), row('watchedUntil', '>', now())]))
    .execute();
}
