import type { Database } from '#database/database.ts';

/** Puts a test event of one endpoint into the outbox, like every other event. */
export async function addTestEvent(
  { queries, now }: Database,
  { eventId, caller, endpointId, url }: Record<'eventId' | 'caller' | 'endpointId' | 'url', string>,
): Promise<void> {
  await queries
    .insertInto('notificationEvents')
    .values({
      id: eventId,
      at: now(),
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
}
