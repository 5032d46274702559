import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database, Queries } from '#database/database.ts';
import type { KeyUse } from '#export-jobs/store/requests/idempotency-key.ts';
import { statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';

/** What accepting an endpoint needs. */
export interface EndpointAcceptance {
  id: string;
  request: CallerRequest;
  url: string;
  description: string | null;
  /** JSON; null for all. */
  eventTypes: string | null;
  secret: string;
  keyUse: KeyUse | undefined;
}

/**
 * Stores an endpoint in one transaction, and returns its id. When its key already has an endpoint, it writes nothing
 * and returns the id of that endpoint.
 * @throws Problem idempotency-key-reused, too-many-webhook-endpoints
 */
export function acceptEndpoint(
  database: Database,
  { request, keyUse, ...endpoint }: EndpointAcceptance,
): Promise<string> {
  const { principal } = request;
  const caller = principal.id;
  return database.transaction(async (queries) => {
    // Concurrent requests of a caller wait here: they have the same key, or count one another.
    await queries
      .insertInto('callers')
      .values({ id: caller })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ id: caller }))
      .execute();
    const known = keyUse && (await findEndpointOfKey(queries, caller, keyUse));
    if (known !== undefined) return known;
    await requireRoom(queries, caller);
    await queries
      .insertInto('webhookEndpoints')
      .values({
        ...endpoint,
        caller,
        principal: JSON.stringify(principal),
        previousSecret: null,
        previousSecretUntil: null,
        createdAt: database.now(),
        disabledAt: null,
        disabledReason: null,
        failingSince: null,
        idempotencyKey: keyUse?.key ?? null,
        digest: keyUse?.digest ?? null,
      })
      .execute();
    return endpoint.id;
  });
}

/** @throws Problem idempotency-key-reused, when the key came with another request */
async function findEndpointOfKey(
  queries: Queries,
  caller: string,
  { key, digest }: KeyUse,
): Promise<string | undefined> {
  const known = await queries
    .selectFrom('webhookEndpoints')
    .select(['id', 'digest'])
    .where('caller', '=', caller)
    .where('idempotencyKey', '=', key)
    .executeTakeFirst();
  if (known && known.digest !== digest)
    throw new Problem('idempotency-key-reused', 'This key was used before with a different body.');
  return known?.id;
}

/** @throws Problem too-many-webhook-endpoints */
async function requireRoom(queries: Queries, caller: string): Promise<void> {
  const { endpoints } = await queries
    .selectFrom('webhookEndpoints')
    .where('caller', '=', caller)
    .select(({ fn }) => fn.countAll<number>().as('endpoints'))
    .executeTakeFirstOrThrow();
  const limit = statedLimits.webhookEndpointsPerCaller;
  if (endpoints < limit) return;
  throw new Problem(
    'too-many-webhook-endpoints',
    `You have ${limit} webhook endpoints, which is the limit.`,
  );
}
