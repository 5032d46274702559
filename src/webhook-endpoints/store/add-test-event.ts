import type { Database, Queries } from '#database/database.ts';
import { inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';

/**
 * Puts a test event of one endpoint into the outbox, like every other event.
 * @throws Problem rate-limited, while many test events of the endpoint are pending
 */
export function addTestEvent(
  database: Database,
  { eventId, caller, endpointId, url }: Record<'eventId' | 'caller' | 'endpointId' | 'url', string>,
): Promise<void> {
  return database.transaction(async (queries) => {
    // Concurrent requests wait here, and count one another.
    await queries
      .updateTable('webhookEndpoints')
      .set({ id: endpointId })
      .where('id', '=', endpointId)
      .execute();
    if ((await countPending(queries, endpointId)) >= statedLimits.pendingAtTest) {
      const limit = inDigits(statedLimits.pendingAtTest);
      const detail = `${limit} test events of this webhook endpoint are pending, which is the limit for a test.`;
      throw new Problem('rate-limited', detail);
    }
    await queries
      .insertInto('notificationEvents')
      .values({
        id: eventId,
        at: database.now(),
        type: 'webhook.test',
        caller,
        target: null,
        endpointId,
        jobId: null,
        archiveId: null,
        version: 1,
        data: JSON.stringify({ endpointId, url }),
      })
      .execute();
  });
}

/** Counts the test events of an endpoint that are not delivered. Others can be pending for hours after an outage. */
async function countPending(queries: Queries, endpointId: string): Promise<number> {
  const { waiting } = await queries
    .selectFrom('notificationEvents')
    .select(({ fn }) => fn.countAll<number>().as('waiting'))
    .where('endpointId', '=', endpointId)
    .executeTakeFirstOrThrow();
  const { pending } = await queries
    .selectFrom('deliveries')
    .select(({ fn }) => fn.countAll<number>().as('pending'))
    .where('destination', '=', endpointId)
    .where('state', '=', 'pending')
    .where('type', '=', 'webhook.test')
    .executeTakeFirstOrThrow();
  return Number(waiting) + Number(pending);
}
