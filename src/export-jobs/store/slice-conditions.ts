import { sql } from 'kysely';

import { activeStates, openStates, type SliceState } from '../slice.ts';

// Literals, not parameters: SQLite uses a partial index only if the statement shows that it fits.

/** Whether a row of `slices` waits in the queue. */
export const whereWaiting = sql<boolean>`slices.state = 'waiting'`;
/** Whether a row of `slices` holds the slot of its target. */
export const whereActive = sql<boolean>`slices.state in (${literals(activeStates)})`;
/** Whether a row of `jobs` has slices that have not ended. */
export const whereOpenSlices = sql<boolean>`exists (select 1 from slices where slices.job_id = jobs.id and slices.state in (${literals(openStates)}))`;

function literals(states: readonly SliceState[]) {
  return sql.join(states.map((state) => sql.lit(state)));
}
