import type { Database, Queries } from '#database/database.ts';
import type { StoredEndpoint } from '../contract/endpoint-view.ts';

// Not the secrets: what does not read them cannot show them.
const columns = [
  'id',
  'caller',
  'url',
  'description',
  'eventTypes',
  'previousSecretUntil',
  'createdAt',
  'disabledAt',
  'disabledReason',
  'failingSince',
] as const;

/** An endpoint, and the clock of the database when it was read. */
export interface ReadEndpoint {
  endpoint: StoredEndpoint;
  now: number;
}

/** Finds an endpoint by its id, of any caller. */
export async function findEndpoint(
  queries: Queries,
  { now }: Pick<Database, 'now'>,
  endpointId: string,
): Promise<ReadEndpoint | undefined> {
  const row = await queries
    .selectFrom('webhookEndpoints')
    .select(columns)
    .select(now().as('now'))
    .where('id', '=', endpointId)
    .executeTakeFirst();
  return row && toRead(row);
}

/** Reads all endpoints of a caller, the newest first. */
export async function readEndpoints(
  { queries, now }: Database,
  caller: string,
): Promise<ReadEndpoint[]> {
  const rows = await queries
    .selectFrom('webhookEndpoints')
    .select(columns)
    .select(now().as('now'))
    .where('caller', '=', caller)
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return rows.map(toRead);
}

function toRead({ now, ...endpoint }: StoredEndpoint & { now: number }): ReadEndpoint {
  return { endpoint, now };
}
