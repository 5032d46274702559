import type { UpdateObject } from 'kysely';
import type { Database, Queries } from '#database/database.ts';
import type { Tables } from '#database/tables.ts';
import { dayMs } from '#time/durations.ts';

/** How long the previous secret signs messages, too. Shorter: receivers are changed in a hurry. */
const previousSecretMs = dayMs;

/**
 * Changes columns of an endpoint. Its version grows by one. An endpoint that was deleted meanwhile stays deleted. With
 * a new URL, what is being sent to the URL before is sent again, and nothing that this URL does counts.
 */
export async function changeEndpoint(
  { queries }: Pick<Database, 'queries'>,
  endpointId: string,
  columns: UpdateObject<Tables, 'webhookEndpoints'>,
): Promise<void> {
  await queries
    .updateTable('webhookEndpoints')
    .set((row) => ({
      ...columns,
      ...(columns.url !== undefined && { failingSince: null }),
      version: row('version', '+', 1),
    }))
    .where('id', '=', endpointId)
    .execute();
}

/** Gives an endpoint a new secret. The one before stays valid for 24 hours. */
export async function rotateSecret(
  { queries, now }: Database,
  endpointId: string,
  secret: string,
): Promise<void> {
  await queries
    .updateTable('webhookEndpoints')
    .set((row) => ({
      secret,
      previousSecret: row.ref('secret'),
      previousSecretUntil: row(now(), '+', previousSecretMs),
      version: row('version', '+', 1),
    }))
    .where('id', '=', endpointId)
    .execute();
}

/** Deletes an endpoint with its deliveries. */
export function deleteEndpoint(database: Database, endpointId: string): Promise<void> {
  return database.transaction(async (queries) => {
    await queries.deleteFrom('webhookEndpoints').where('id', '=', endpointId).execute();
    await deleteDeliveries(queries, endpointId);
  });
}

// Fewer: more statements for a long backlog. More: other requests wait, because SQLite works on the thread of its caller.
const deliveriesPerStatement = 1_000;

async function deleteDeliveries(queries: Queries, destination: string): Promise<void> {
  for (;;) {
    const rows = await queries
      .selectFrom('deliveries')
      .select('eventId')
      .where('destination', '=', destination)
      .limit(deliveriesPerStatement)
      .execute();
    if (rows.length === 0) return;
    const events = rows.map(({ eventId }) => eventId);
    await queries
      .deleteFrom('deliveries')
      .where('destination', '=', destination)
      .where('eventId', 'in', events)
      .execute();
  }
}
