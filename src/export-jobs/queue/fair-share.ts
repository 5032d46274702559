import type { Database, Queries } from '#database/database.ts';
import type { ActiveSlice } from '../store/steps/active-slice.ts';

/**
 * Every so many starts of a target one goes to whoever had no turn for longest, whatever the priority.
 * Fewer, and a priority says little; more, and what is behind a steady stream of a higher one hardly
 * moves.
 */
export const priorityIgnoredEvery = 10;

// After an attempt that led to no export a caller is watched, and from the next one on it steps aside,
// for this many times as long as the attempt kept the slot from others. Fewer, and a caller of whom
// much fails takes a share that others feel; more, and somebody whose trouble is over waits for nothing
// while others are at work. What it exports in between does not count: what fails every other time
// keeps the slot from others just as well.
const asideFactor = 10;
// Longer, and a caller whose day-long task has failed waits for days.
const longestAsideMs = 3_600_000;

/** A caller at a target. */
interface Standing {
  target: string;
  caller: string;
}

/** Notes that an attempt of a caller led to no export, after it kept the slot from others for so long. */
export async function recordMiss(
  queries: Queries,
  database: Pick<Database, 'now'>,
  { target, caller }: Standing,
  keptMs: number,
): Promise<void> {
  const asideMs = Math.min(longestAsideMs, Math.ceil(asideFactor * keptMs));
  await queries
    .updateTable('lines')
    .set((row) => {
      const isWatched = row('watchedUntil', '>', database.now());
      const then = row(database.now(), '+', asideMs);
      return {
        asideUntil: row.case().when(isWatched).then(then).else(row.ref('asideUntil')).end(),
        watchedUntil: row
          .case()
          .when(isWatched)
          .then(row(database.now(), '+', 2 * asideMs))
          .else(then)
          .end(),
      };
    })
    .where('target', '=', target)
    .where('caller', '=', caller)
    .execute();
}

/** AWS took no create of anybody's, so it was no turn: the queue is first again among its equals. */
export async function restoreFairShare(
  queries: Queries,
  { jobId, slice }: Pick<ActiveSlice, 'jobId' | 'slice'>,
): Promise<void> {
  await queries
    .updateTable('lines')
    .set({ lastTurn: 0 })
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('slices')
          .select('number')
          .whereRef('slices.target', '=', 'lines.target')
          .whereRef('slices.priority', '=', 'lines.priority')
          .whereRef('slices.caller', '=', 'lines.caller')
          .where('jobId', '=', jobId)
          .where('number', '=', slice),
      ),
    )
    .execute();
}
