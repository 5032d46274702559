import { randomUUID } from 'node:crypto';
import type { Insertable } from 'kysely';

import type { Database } from '#database/database.ts';
import type { DeliveryRow, WebhookEndpointRow } from '#database/rows/notification-rows.ts';

/** Inserts a webhook endpoint, without the API. Returns its id. */
export async function givenEndpoint(
  database: Database,
  values: Partial<Insertable<WebhookEndpointRow>> = {},
): Promise<string> {
  const id = randomUUID();
  const { id: inserted } = await database.queries
    .insertInto('webhookEndpoints')
    .values({
      id,
      caller: 'anonymous',
      principal: '{}',
      url: 'https://hooks.example.com/x',
      description: null,
      eventTypes: null,
      secret: `whsec_${Buffer.alloc(32).toString('base64')}`,
      previousSecret: null,
      previousSecretUntil: null,
      createdAt: Date.UTC(2024, 4, 4),
      disabledAt: null,
      disabledReason: null,
      failingSince: null,
      idempotencyKey: null,
      digest: null,
      ...values,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return inserted;
}

/** Inserts a delivery of an event about a job that has failed. Returns the id of the event. */
export async function givenDelivery(
  database: Database,
  values: Partial<Insertable<DeliveryRow>> & { destination: string },
): Promise<string> {
  const at = values.at ?? Date.UTC(2024, 4, 4);
  const { eventId } = await database.queries
    .insertInto('deliveries')
    .values({
      eventId: `msg_${randomUUID()}`,
      at,
      type: 'export_job.failed',
      jobId: 'a-job',
      archiveId: null,
      version: 7,
      body: '{"type":"export_job.failed"}',
      state: 'failed',
      dueAt: at,
      tries: 10,
      owner: null,
      triedAt: at + 1_000,
      status: 503,
      error: 'status 503',
      endedAt: at + 2_000,
      ...values,
    })
    .returning('eventId')
    .executeTakeFirstOrThrow();
  return eventId;
}
