import type { Database, Queries } from '#database/database.ts';
import { dayMs } from '#time/durations.ts';
import type { ClaimedDelivery } from './claim-delivery.ts';
import { pauseBeforeNext } from './schedule.ts';
import type { SentDelivery } from './send-delivery.ts';

/** What became of an endpoint because of a result. */
export type EndpointChange = 'disabled' | undefined;

// Shorter: an endpoint that is down over a long weekend gets nothing afterwards. Longer: dead endpoints use up places
// and space for longer.
const failingForMs = 5 * dayMs;

/**
 * Records the result of a try: the delivery ends, or is due again. An endpoint is disabled when it is gone, or when a
 * last try fails and all others have failed for five days. Then its pending deliveries end. If the endpoint has
 * another URL by now, the result does not count: the delivery is due at once. Nothing is written if another process
 * has taken up the delivery, or it has ended.
 */
export async function recordResult(
  database: Database,
  claim: ClaimedDelivery,
  { result, url }: Pick<SentDelivery, 'result' | 'url'>,
  { pausesMs, random }: { pausesMs: readonly number[]; random: number },
): Promise<EndpointChange> {
  const { outcome, status, reason, retryAfterMs } = result;
  const isDelivered = outcome === 'delivered';
  const isOver = isDelivered || outcome === 'gone';
  const { tries } = claim;
  const pauseMs = isOver ? undefined : pauseBeforeNext({ tries, pausesMs, random, retryAfterMs });
  const { now } = database;
  return database.transaction(async (queries) => {
    // What another URL does says nothing of the present one.
    const isMoved = url !== undefined && !(await hasUrl(queries, claim.destination, url));
    const { numUpdatedRows } = await queries
      .updateTable('deliveries')
      .set((row) => ({
        owner: null,
        leasedUntil: 0,
        ...(isMoved
          ? { dueAt: now() }
          : {
              status: status ?? null,
              error: isDelivered ? null : (reason ?? outcome),
              ...(pauseMs === undefined
                ? { state: isDelivered ? 'delivered' : 'failed', endedAt: now() }
                : { dueAt: row(now(), '+', pauseMs) }),
            }),
      }))
      .where('destination', '=', claim.destination)
      .where('eventId', '=', claim.eventId)
      .where('owner', '=', claim.owner)
      .where('state', '=', 'pending')
      .executeTakeFirst();
    if (numUpdatedRows === 0n || isMoved) return undefined;
    return isDelivered
      ? noteSuccess(queries, claim)
      : noteFailure(queries, now, {
          endpointId: claim.destination,
          url,
          isGone: outcome === 'gone',
          isLastTry: pauseMs === undefined,
        });
  });
}

async function hasUrl(queries: Queries, id: string, url: string): Promise<boolean> {
  const endpoint = queries.selectFrom('webhookEndpoints').select('id').where('id', '=', id);
  return (await endpoint.where('url', '=', url).executeTakeFirst()) !== undefined;
}

async function noteSuccess(queries: Queries, { destination }: ClaimedDelivery): Promise<undefined> {
  await queries
    .updateTable('webhookEndpoints')
    .set({ failingSince: null })
    .where('id', '=', destination)
    .where('failingSince', 'is not', null)
    .execute();
}

interface EndpointFailure {
  endpointId: string;
  /** Undefined for a topic or an event bus. */
  url: string | undefined;
  isGone: boolean;
  isLastTry: boolean;
}

async function noteFailure(
  queries: Queries,
  now: Database['now'],
  { endpointId, url, isGone, isLastTry }: EndpointFailure,
): Promise<EndpointChange> {
  if (url === undefined) return undefined;
  await queries
    .updateTable('webhookEndpoints')
    .set({ failingSince: now() })
    .where('id', '=', endpointId)
    .where('url', '=', url)
    .where('failingSince', 'is', null)
    .execute();
  // Between two events, days can pass. So one failure does not prove that the endpoint has failed for all that time.
  if (!isLastTry) return undefined;
  const { numUpdatedRows } = await queries
    .updateTable('webhookEndpoints')
    .set((row) => ({
      disabledAt: now(),
      disabledReason: isGone ? 'gone' : 'failing',
      version: row('version', '+', 1),
    }))
    .where('id', '=', endpointId)
    .where('url', '=', url)
    .where('disabledAt', 'is', null)
    .$if(!isGone, (query) =>
      query.where((row) => row('failingSince', '<=', row(now(), '-', failingForMs))),
    )
    .executeTakeFirst();
  return numUpdatedRows === 0n ? undefined : 'disabled';
}
