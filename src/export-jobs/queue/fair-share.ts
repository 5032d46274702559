import { type RawBuilder, sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import { hourMs } from '#time/durations.ts';
import type { ActiveSlice } from '../store/steps/read-active-slice.ts';

// A caller is watched after an attempt without an export. From the next such attempt on it steps
// aside, for this many times as long as the attempt kept the slot from others. Lower: a caller whose
// exports often fail takes a share that others feel. Higher: a caller whose trouble is over waits for
// nothing. Exports in between do not reset it: a caller that fails every other time keeps the slot
// from others, too.
const asideFactor = 10;
// Longer: a caller whose day-long task has failed waits for days.
const maxAsideMs = hourMs;

/** A caller at a target. */
interface CallerAtTarget {
  target: string;
  caller: string;
}

/**
 * Makes the queue of a caller at a priority, if it is missing. It has the standing of the caller's other queues at the
 * target: with a new priority, a caller neither returns from aside nor gets another start that ignores the priority.
 */
export async function openQueue(
  queries: Queries,
  { target, caller, priority }: CallerAtTarget & { priority: number },
): Promise<void> {
  const ofCaller = (column: 'lastTenth' | 'watchedUntil' | 'asideUntil'): RawBuilder<number> =>
    sql`(select coalesce(max(${sql.ref(column)}), 0) from lines where target = ${target} and caller = ${caller})`;
  await queries
    .insertInto('lines')
    .values({
      target,
      caller,
      priority,
      lastTenth: ofCaller('lastTenth'),
      watchedUntil: ofCaller('watchedUntil'),
      asideUntil: ofCaller('asideUntil'),
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * Counts a start of a caller's queue: it is the number of its latest one at the target. A start that ignored the
 * priority counts for all queues of the caller. From now on the slot can have an orphaned task.
 */
export async function recordServed(
  queries: Queries,
  database: Pick<Database, 'now'>,
  {
    target,
    caller,
    priority,
    isPriorityIgnored,
  }: CallerAtTarget & { priority: number; isPriorityIgnored: boolean },
): Promise<void> {
  const { turns } = await queries
    .updateTable('slots')
    .set((row) => ({ turns: row('turns', '+', 1), sentAt: database.now() }))
    .where('target', '=', target)
    .returning('turns')
    .executeTakeFirstOrThrow();
  // One statement: two could wait for those that change all queues of the caller, which wait for the first one.
  await queries
    .updateTable('lines')
    .set((row) => ({
      lastTurn: row
        .case()
        .when('priority', '=', priority)
        .then(turns)
        .else(row.ref('lastTurn'))
        .end(),
      ...(isPriorityIgnored && { lastTenth: turns }),
    }))
    .where('target', '=', target)
    .where('caller', '=', caller)
    .$if(!isPriorityIgnored, (query) => query.where('priority', '=', priority))
    .execute();
}

/**
 * Notes that an attempt of a caller led to no export, and that it kept the slot from others for
 * `keptMs`.
 */
export async function recordMiss(
  queries: Queries,
  database: Pick<Database, 'now'>,
  { target, caller }: CallerAtTarget,
  keptMs: number,
): Promise<void> {
  const asideMs = Math.min(maxAsideMs, Math.ceil(asideFactor * keptMs));
  await queries
    .updateTable('lines')
    .set((row) => {
      const watched = row('watchedUntil', '>', database.now());
      const then = row(database.now(), '+', asideMs);
      return {
        asideUntil: row.case().when(watched).then(then).else(row.ref('asideUntil')).end(),
        watchedUntil: row
          .case()
          .when(watched)
          .then(row(database.now(), '+', 2 * asideMs))
          .else(then)
          .end(),
      };
    })
    .where('target', '=', target)
    .where('caller', '=', caller)
    .execute();
}

/**
 * Makes the queue of a slice first among its equals again: AWS accepted no create, so it was not
 * served. A start that ignored the priority is given back to all queues of the caller, and its number to the target.
 * Otherwise the slot of a tenth start that AWS refuses goes to the highest priority again.
 */
export async function restoreFairShare(
  queries: Queries,
  { jobId, slice }: Pick<ActiveSlice, 'jobId' | 'slice'>,
): Promise<void> {
  const queue = await queries
    .selectFrom('slices')
    .innerJoin('lines', (on) =>
      on
        .onRef('lines.target', '=', 'slices.target')
        .onRef('lines.priority', '=', 'slices.priority')
        .onRef('lines.caller', '=', 'slices.caller'),
    )
    .select(['lines.target', 'lines.caller', 'lines.priority', 'lastTurn'])
    .where('jobId', '=', jobId)
    .where('number', '=', slice)
    .executeTakeFirst();
  if (!queue) return;
  const { target, caller, priority, lastTurn } = queue;
  await queries
    .updateTable('slots')
    .set((row) => ({ turns: row('turns', '-', 1) }))
    .where('target', '=', target)
    .where('turns', '=', lastTurn)
    .execute();
  await queries
    .updateTable('lines')
    .set((row) => ({
      lastTurn: row.case().when('priority', '=', priority).then(0).else(row.ref('lastTurn')).end(),
      lastTenth: row
        .case()
        .when('lastTenth', '=', lastTurn)
        .then(0)
        .else(row.ref('lastTenth'))
        .end(),
    }))
    .where('target', '=', target)
    .where('caller', '=', caller)
    .execute();
}
