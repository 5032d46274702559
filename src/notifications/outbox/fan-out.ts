import { type InsertObject, type Selectable, sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import type { NotificationEventRow } from '#database/rows/notification-rows.ts';
import type { Tables } from '#database/tables.ts';
import { inChunks } from '#paging/in-chunks.ts';
import { sinkBody, webhookBody } from './message-body.ts';
import { readSink, webhooksAreInUse } from './sinks-in-use.ts';

// Fewer: a burst of events takes more transactions. More: one transaction of SQLite delays requests.
const eventsAtOnce = 50;
const rowsPerStatement = 200;

/**
 * Turns the oldest events of the outbox into one delivery for each of their destinations, in one transaction.
 * Returns how many events it took. Replicas take different ones. Links have the prefix `basePath`.
 */
export function fanOut(database: Database, basePath: string): Promise<number> {
  return database.transaction(async (queries) => {
    const events = await queries
      .selectFrom('notificationEvents')
      .selectAll()
      .orderBy('at')
      .orderBy('id')
      .limit(eventsAtOnce)
      .$if(database.kind === 'postgres', (query) => query.forUpdate().skipLocked())
      .execute();
    if (events.length === 0) return 0;
    const findEndpoints = await readEndpoints(queries, events);
    const sinks = await readSinks(queries, events);
    const rows = events.flatMap((event) => {
      const ofSinks = event.endpointId === null ? (sinks.get(event.target ?? '') ?? []) : [];
      return [
        ...toRows(database, event, findEndpoints(event), () => webhookBody(event, basePath)),
        ...toRows(database, event, ofSinks, () => sinkBody(event, basePath)),
      ];
    });
    for await (const chunk of inChunks(rows, rowsPerStatement)) {
      await queries
        .insertInto('deliveries')
        .values(chunk)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    const ids = events.map(({ id }) => id);
    await queries.deleteFrom('notificationEvents').where('id', 'in', ids).execute();
    return events.length;
  });
}

type StoredEvent = Selectable<NotificationEventRow>;

/**
 * Reads the endpoints of the callers of events; none while no replica sends webhooks. Returns what finds those of one
 * event.
 */
async function readEndpoints(queries: Queries, events: readonly StoredEvent[]) {
  const endpoints = await queries
    .selectFrom('webhookEndpoints')
    .select(['id', 'caller', 'eventTypes'])
    .where(
      'caller',
      'in',
      events.map(({ caller }) => caller),
    )
    .where('disabledAt', 'is', null)
    .where(webhooksAreInUse)
    .execute();
  return ({ caller, endpointId, type }: StoredEvent): string[] =>
    endpoints
      .filter((endpoint) => {
        if (endpoint.caller !== caller) return false;
        if (endpointId !== null) return endpoint.id === endpointId;
        return endpoint.eventTypes === null || JSON.parse(endpoint.eventTypes).includes(type);
      })
      .map(({ id }) => id);
}

async function readSinks(queries: Queries, events: readonly StoredEvent[]) {
  const rows = await queries
    .selectFrom('notificationSinks')
    .select('destination')
    .where(
      'target',
      'in',
      events.map(({ target }) => target ?? ''),
    )
    .execute();
  const destinations = rows.map(({ destination }) => destination);
  return Map.groupBy(destinations, (destination) => readSink(destination)?.target ?? '');
}

function toRows(
  { now }: Database,
  { id, at, type, jobId, archiveId, version }: StoredEvent,
  destinations: readonly string[],
  write: () => string,
): InsertObject<Tables, 'deliveries'>[] {
  if (destinations.length === 0) return [];
  const facts = { eventId: id, at, type, jobId, archiveId, version };
  // The clock of the database can have been set back after the event.
  const dueAt = sql<number>`case when ${at} < ${now()} then ${at} else ${now()} end`;
  const state = { state: 'pending', dueAt, endedAt: null } as const;
  const noTry = { owner: null, triedAt: null, status: null, error: null };
  const body = write();
  return destinations.map((destination) => ({ destination, ...facts, body, ...state, ...noTry }));
}
