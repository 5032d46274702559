import type { Database, Queries } from '#database/database.ts';
import { whereActive, whereWaiting } from '../slice-conditions.ts';

/** Watches the clock of the database with a clock that only goes forward. */
export interface DatabaseClock {
  /**
   * Notes that the database's clock showed `now` at some moment since `beganAt`. Returns how far it was
   * set back since the last reading, in ms, at least; 0 when it may not have been.
   */
  observe(now: number, beganAt: number): number;
}

// Time synchronization sets clocks back by some milliseconds, which changes nothing here. Lower: such a
// step shortens waits. Higher: a real step stays unnoticed.
export const clockToleranceMs = 1_000;

/** Makes a watch that has no reading yet. */
export function makeDatabaseClock(elapsed: () => number): DatabaseClock {
  let last: { now: number; endedAt: number } | undefined;
  return {
    observe(now, beganAt) {
      // The shortest possible time between the two readings, however long each of them took.
      const sinceMs = last ? beganAt - last.endedAt : 0;
      const backMs = last ? last.now + sinceMs - now : 0;
      last = { now, endedAt: elapsed() };
      return backMs > clockToleranceMs ? Math.floor(backMs) : 0;
    },
  };
}

/**
 * Finds how far the clock of the database was set back, in ms, as far as the rows of a target show it;
 * 0 when they do not. They show it when a slice is ready only in the future although it is in the slot
 * already, or never had a reason to wait.
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
  return backMs > clockToleranceMs ? backMs : 0;
}

/**
 * Shortens the waits of a target by `backMs`, after the clock of the database was set back by that.
 * This includes the slice in the slot, which may have to wait again. A slice whose log events are
 * still settling waits on: it waits for a date.
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
