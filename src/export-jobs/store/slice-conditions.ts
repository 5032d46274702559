import { sql } from 'kysely';

import { activeStates } from '../slice.ts';

// Written out in the statement: SQLite uses an index of some rows only if it can see that it may.
/** Whether a row of `slices` waits in the queue. */
export const whereWaiting = sql<boolean>`slices.state = 'waiting'`;
/** Whether a row of `slices` holds the slot of its target. */
export const whereActive = sql<boolean>`slices.state in (${sql.join(activeStates.map((state) => sql.lit(state)))})`;
