import type { Database, Queries } from '#database/database.ts';
import type { ActiveSlice } from '../outcomes.ts';

/**
 * Every so many starts of a target one goes to whoever had no turn for longest, whatever the priority.
 * Fewer, and a priority says little; more, and what is behind a steady stream of a higher one hardly
 * moves.
 */
export const openTurnEvery = 10;

// After attempts that led to no export a caller steps aside for this many times as long as the last
// of them kept the slot from others. Fewer, and a caller of whom everything fails takes a share that
// others feel; more, and somebody whose trouble is over waits for nothing while others are at work.
const asideFactor = 10;
// A single one is bad luck and costs no more than its turn.
const missesUntilAside = 2;
// Longer, and a caller whose day-long task has failed waits for days.
const longestAsideMs = 3_600_000;

/** A caller at a target. */
interface Standing {
  target: string;
  caller: string;
}

/** Notes that an attempt of a caller led to no export, after it kept the slot from others for so long. */
export async function noteMiss(
  queries: Queries,
  database: Pick<Database, 'now'>,
  { target, caller }: Standing,
  keptMs: number,
): Promise<void> {
  const asideMs = Math.min(longestAsideMs, Math.ceil(asideFactor * keptMs));
  await queries
    .updateTable('lines')
    .set((row) => ({
      misses: row('misses', '+', 1),
      asideUntil: row
        .case()
        .when('misses', '>=', missesUntilAside - 1)
        .then(row(database.now(), '+', asideMs))
        .else(row.ref('asideUntil'))
        .end(),
    }))
    .where('target', '=', target)
    .where('caller', '=', caller)
    .execute();
}

/** Notes that a slice of a caller was exported. */
export async function forgetMisses(queries: Queries, { target, caller }: Standing): Promise<void> {
  await queries
    .updateTable('lines')
    .set({ misses: 0, asideUntil: 0 })
    .where('target', '=', target)
    .where('caller', '=', caller)
    .where('misses', '>', 0)
    .execute();
}

/** AWS took no create of anybody's, so it was no turn: the line is first again among its equals. */
export async function giveTurnBack(
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
