import { type RawBuilder, type SqlBool, sql } from 'kysely';

import type { JobState } from '../job-state.ts';
import { begunStates, openStates, type SliceState } from '../slice.ts';

/** Whether a row of `jobs` is in a state. It must agree with `jobStateOf`. */
export function whereState(state: JobState): RawBuilder<SqlBool> {
  // Without the offset, PostgreSQL may make a join of it, and read the slices of all jobs.
  const anySlice = (...states: readonly SliceState[]) =>
    sql<SqlBool>`exists (select 1 from slices where job_id = jobs.id and state in (${sql.join(states)}) limit 1 offset 0)`;
  const cancelRequested = sql<SqlBool>`cancel_requested_at is not null`;
  const active = anySlice(...begunStates);
  const begun = sql<SqlBool>`(${active} or ${anySlice('completed', 'failed', 'cancelled', 'split')})`;
  // The last condition: it takes five searches of an index.
  const over = sql<SqlBool>`not ${anySlice(...openStates)}`;
  switch (state) {
    case 'cancelling':
      return sql`${active} and ${cancelRequested}`;
    case 'running':
      return sql`((${active} and not ${cancelRequested}) or (${anySlice('waiting')} and ${begun} and not ${active}))`;
    case 'waiting':
      return sql`${anySlice('waiting')} and not ${begun}`;
    case 'cancelled':
      return sql`${anySlice('cancelled')} and ${over}`;
    case 'failed':
      return sql`${anySlice('failed')} and not ${anySlice('cancelled')} and ${over}`;
    case 'completed':
      return sql`not ${anySlice('failed', 'cancelled')} and ${over}`;
  }
}
