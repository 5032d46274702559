import type { UpdateObject } from 'kysely';

import type { Queries } from '#database/database.ts';
import type { Tables } from '#database/tables.ts';
import type { SliceState } from '../../slice.ts';

// Each takes some 20 µs. Fewer: more statements for a large job. More: other requests wait, because SQLite works on
// the thread of its caller.
const slicesPerStatement = 1_000;

/** Which slices of a job to change. */
interface ChangedSlices {
  jobId: string;
  state: SliceState;
  /** Default: those of all log groups. */
  logGroupName?: string | undefined;
}

/** Changes slices of a locked job, a part of them in each statement. Returns how many. */
export async function changeSlices(
  queries: Queries,
  { jobId, state, logGroupName }: ChangedSlices,
  columns: UpdateObject<Tables, 'slices'>,
): Promise<number> {
  const { last } = await queries
    .selectFrom('slices')
    .select(({ fn }) => fn.max<number | null>('number').as('last'))
    .where('jobId', '=', jobId)
    .executeTakeFirstOrThrow();
  let changed = 0;
  for (let from = 0; from <= (last ?? -1); from += slicesPerStatement) {
    const { numUpdatedRows } = await queries
      .updateTable('slices')
      .set(columns)
      .where('jobId', '=', jobId)
      .where('number', '>=', from)
      .where('number', '<', from + slicesPerStatement)
      .where('state', '=', state)
      .$if(logGroupName !== undefined, (query) =>
        query.where('logGroupName', '=', logGroupName as string),
      )
      .executeTakeFirst();
    changed += Number(numUpdatedRows);
  }
  return changed;
}
