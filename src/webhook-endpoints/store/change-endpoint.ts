import type { UpdateObject } from 'kysely';

import type { Database } from '#database/database.ts';
import type { Tables } from '#database/tables.ts';

/** How long the previous secret signs messages, too. Shorter: receivers are changed in a hurry. */
const previousSecretMs = 24 * 3_600_000;

/** Changes columns of an endpoint. Its version grows by one. An endpoint that was deleted meanwhile stays deleted. */
export async function changeEndpoint(
  { queries }: Pick<Database, 'queries'>,
  endpointId: string,
  columns: UpdateObject<Tables, 'webhookEndpoints'>,
): Promise<void> {
  await queries
    .updateTable('webhookEndpoints')
    .set((row) => ({ ...columns, version: row('version', '+', 1) }))
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
    await queries.deleteFrom('deliveries').where('destination', '=', endpointId).execute();
  });
}
