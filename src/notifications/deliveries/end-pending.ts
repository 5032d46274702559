import type { Database, Queries } from '#database/database.ts';

/**
 * Ends the pending deliveries of a destination that gets no more, in the transaction of the caller. One that is
 * being sent ends, too: its result is ignored.
 */
export async function endPending(
  queries: Queries,
  { now }: Pick<Database, 'now'>,
  destination: string,
  error: string,
): Promise<void> {
  await queries
    .updateTable('deliveries')
    .set({ state: 'failed', error, endedAt: now(), owner: null })
    .where('destination', '=', destination)
    .where('state', '=', 'pending')
    .execute();
}
