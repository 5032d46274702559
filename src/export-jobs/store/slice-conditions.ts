import { sql } from 'kysely';

import { activeStates } from '../slice.ts';

// Literals, not parameters: SQLite uses a partial index only if the statement shows that it fits.

/** Whether a row of `slices` waits in the queue. */
export const whereWaiting = sql<boolean>`slices.state = 'waiting'`;
/** Whether a row of `slices` holds the slot of its target. */
export const whereActive = sql<boolean>`slices.state in (${sql.join(activeStates.map((state) => sql.lit(state)))})`;
