import type { Database } from '#database/database.ts';
import type { StoredDelivery } from '../contract/delivery-view.ts';

const columns = [
  'eventId',
  'at',
  'type',
  'jobId',
  'archiveId',
  'version',
  'state',
  'dueAt',
  'tries',
  'triedAt',
  'status',
  'error',
  'endedAt',
] as const;

/** Which deliveries of an endpoint to list. */
interface DeliveryFilter {
  endpointId: string;
  /** Deliveries in all states when absent. */
  state?: StoredDelivery['state'] | undefined;
  after?: { at: number; id: string } | undefined;
  limit: number;
}

/** Reads a page of the deliveries of an endpoint, those of the newest events first. */
export async function readDeliveries(
  { queries }: Pick<Database, 'queries'>,
  { endpointId, state, after, limit }: DeliveryFilter,
): Promise<StoredDelivery[]> {
  let query = queries
    .selectFrom('deliveries')
    .select(columns)
    .where('destination', '=', endpointId);
  if (state !== undefined) query = query.where('state', '=', state);
  if (after !== undefined)
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('at', 'eventId'), '<', tuple(after.at, after.id)),
    );
  return query.orderBy('at', 'desc').orderBy('eventId', 'desc').limit(limit).execute();
}

/** Makes a delivery due now, with as many tries as a new one. Returns it; undefined if there is none. */
export function replayDelivery(
  { queries, now }: Database,
  endpointId: string,
  eventId: string,
): Promise<StoredDelivery | undefined> {
  return queries
    .updateTable('deliveries')
    .set(again(now))
    .where('destination', '=', endpointId)
    .where('eventId', '=', eventId)
    .returning(columns)
    .executeTakeFirst();
}

/**
 * Makes failed deliveries of events since an instant due now, the oldest first, until `limit` deliveries of the
 * endpoint are pending. Returns their number.
 */
export async function replayFailed(
  database: Database,
  { endpointId, since, limit }: { endpointId: string; since: number; limit: number },
): Promise<number> {
  const { pending } = await database.queries
    .selectFrom('deliveries')
    .select(({ fn }) => fn.countAll<number>().as('pending'))
    .where('destination', '=', endpointId)
    .where('state', '=', 'pending')
    .executeTakeFirstOrThrow();
  if (pending >= limit) return 0;
  const failedEvents = database.queries
    .selectFrom('deliveries')
    .select('eventId')
    .where('destination', '=', endpointId)
    .where('state', '=', 'failed')
    .where('at', '>=', since)
    .orderBy('at')
    .orderBy('eventId')
    .limit(limit - Number(pending));
  const { numUpdatedRows } = await database.queries
    .updateTable('deliveries')
    .set(again(database.now))
    .where('destination', '=', endpointId)
    .where('eventId', 'in', failedEvents)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** A process that sends it at the moment loses its lease, so its result is not recorded. */
const again = (now: Database['now']) => ({
  state: 'pending' as const,
  dueAt: now(),
  tries: 0,
  owner: null,
  leasedUntil: 0,
  endedAt: null,
});
