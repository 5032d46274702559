import type { Queries } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';
import { whereWaiting } from '../store/slice-conditions.ts';

/**
 * Makes sure that a caller has room for more waiting slices, of `most` in all; 0 is any number. Holds
 * the caller's row until the transaction ends, so that of many at once each counts those before it.
 * @throws Problem too-many-waiting-slices
 */
export async function requireRoom(
  queries: Queries,
  caller: string,
  more: number,
  most: number,
): Promise<void> {
  if (most === 0 || more === 0) return;
  await queries
    .insertInto('callers')
    .values({ id: caller })
    // Written as it is: a row that is only there already would not be held.
    .onConflict((there) => there.column('id').doUpdateSet({ id: caller }))
    .execute();
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
  if (waiting + more <= most) return;
  throw new Problem(
    'too-many-waiting-slices',
    `This would be ${more} more slices; ${waiting} wait already, and a caller may have ${most}.`,
    { isRetryable: more <= most },
  );
}
