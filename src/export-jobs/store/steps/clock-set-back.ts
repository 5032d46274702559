import type { Database, Queries } from '#database/database.ts';
import { clockToleranceMs } from '#database/database-clock.ts';
import { whereActive, whereWaiting } from '../slice-conditions.ts';

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
