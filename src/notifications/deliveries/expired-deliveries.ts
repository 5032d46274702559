import { sql } from 'kysely';
import type { Queries } from '#database/database.ts';
import { dayMs } from '#time/durations.ts';

const keptForMs = 7 * dayMs;
// Ended deliveries of one destination that are kept. Fewer: a caller cannot see what became of those of a busy day.
// More: a busy topic fills the disk.
const keptOfDestination = 2_000;

/** Deletes deliveries that ended more than seven days ago. Returns how many. */
export async function deleteOldDeliveries(
  queries: Queries,
  at: number,
  maxRows: number,
): Promise<number> {
  const old = await queries
    .selectFrom('deliveries')
    .select(['destination', 'eventId'])
    .where(sql<boolean>`ended_at is not null`) // a literal, so that the partial index fits
    .where('endedAt', '<=', at - keptForMs)
    .orderBy('endedAt')
    .limit(maxRows)
    .execute();
  return deleteAll(queries, old);
}

/**
 * Deletes the oldest ended deliveries of the next destination after `after` that has more than 2,000. Returns the
 * destination and how many; undefined if no further destination has too many.
 */
export async function deleteSurplusDeliveries(
  queries: Queries,
  after: string,
  maxRows: number,
): Promise<{ destination: string; deliveries: number } | undefined> {
  const next = await queries
    .selectFrom('deliveries')
    .select('destination')
    .where('destination', '>', after)
    .orderBy('destination')
    .limit(1)
    .executeTakeFirst();
  if (!next) return undefined;
  const { destination } = next;
  const surplus = await queries
    .selectFrom('deliveries')
    .select(['destination', 'eventId'])
    .where('destination', '=', destination)
    .where('endedAt', 'is not', null)
    .orderBy('at', 'desc')
    .orderBy('eventId', 'desc')
    .limit(maxRows)
    .offset(keptOfDestination)
    .execute();
  return { destination, deliveries: await deleteAll(queries, surplus) };
}

async function deleteAll(
  queries: Queries,
  rows: readonly { destination: string; eventId: string }[],
): Promise<number> {
  for (const [destination, ofOne] of Map.groupBy(rows, ({ destination }) => destination)) {
    await queries
      .deleteFrom('deliveries')
      .where('destination', '=', destination)
      .where(
        'eventId',
        'in',
        ofOne.map(({ eventId }) => eventId),
      )
      .execute();
  }
  return rows.length;
}
