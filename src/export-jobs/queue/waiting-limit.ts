import type { Queries } from '#database/database.ts';
import { countOf, inDigits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import { whereWaiting } from '../store/slice-conditions.ts';

/**
 * Requires that `added` more slices of a caller may wait, of `maxWaiting` in total; 0 means no limit.
 * Locks the caller's row until the transaction ends, so that concurrent requests count one another.
 * @throws Problem too-many-waiting-slices
 */
export async function requireWaitingCapacity(
  queries: Queries,
  caller: string,
  added: number,
  maxWaiting: number,
): Promise<void> {
  if (maxWaiting === 0 || added === 0) return;
  await queries
    .insertInto('callers')
    .values({ id: caller })
    // Writes the row unchanged: `do nothing` would not lock an existing row.
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ id: caller }))
    .execute();
  await refuseExcessSlices(queries, caller, added, maxWaiting);
}

/**
 * Refuses `added` more slices of a caller that may not wait now. It locks nothing, as a plan needs it.
 * @throws Problem too-many-waiting-slices
 */
export async function refuseExcessSlices(
  queries: Queries,
  caller: string,
  added: number,
  maxWaiting: number,
): Promise<void> {
  if (maxWaiting === 0) return;
  // Without a target, the indexes lead only from a queue to its slices.
  const { waiting } = await queries
    .selectFrom('lines')
    .innerJoin('slices', (on) =>
      on
        .onRef('slices.target', '=', 'lines.target')
        .onRef('slices.priority', '=', 'lines.priority')
        .onRef('slices.caller', '=', 'lines.caller'),
    )
    .where('lines.caller', '=', caller)
    .where(whereWaiting)
    .select(({ fn }) => fn.countAll<number>().as('waiting'))
    .executeTakeFirstOrThrow();
  if (waiting + added <= maxWaiting) return;
  throw new Problem(
    'too-many-waiting-slices',
    `You have ${countOf(waiting, 'waiting slice')}. With ${inDigits(added)} more you would exceed the limit of ${inDigits(maxWaiting)}.`,
    { isRetryable: added <= maxWaiting },
  );
}
