import { type Static, Type } from '@sinclair/typebox';
import type { Selectable } from 'kysely';

import type { DeliveryRow } from '#database/rows/notification-rows.ts';
import { type EventType, eventTypes } from '#notifications/event.ts';
import { DateTime, toDateTime } from '#time/date-time.ts';

/** The states of a delivery. */
export const deliveryStates = ['pending', 'delivered', 'failed'] as const;

/** The state of a delivery, in queries and answers. */
export const DeliveryState = Type.Unsafe<(typeof deliveryStates)[number]>({
  title: 'WebhookDeliveryState',
  type: 'string',
  enum: deliveryStates,
  description:
    'State of the delivery. `pending`: it is sent at `dueAt`, for the first time or again. `delivered`: the endpoint answered 2xx. `failed`: it was not delivered, and no other try follows.',
  'x-rule': `one of ${deliveryStates.join(', ')}`,
});

/** The delivery of the examples. */
export const exampleDelivery = {
  eventId: 'msg_0d7a2a0e-64f5-4d4e-9b2c-3c1f0a3a5b77',
  type: 'export_job.failed' as const,
  at: '2024-05-04T08:00:00.000Z',
  jobId: '3f1c9c1e-7f0e-4f43-8d0c-0b8a2d6f0a11',
  version: 7,
  state: 'pending' as const,
  tries: 2,
  triedAt: '2024-05-04T08:00:05.000Z',
  status: 503,
  error: 'status 503',
  dueAt: '2024-05-04T08:05:05.000Z',
};

/** A delivery as its caller sees it. */
export type ShownDelivery = Static<typeof ShownDelivery>;
export const ShownDelivery = Type.Object(
  {
    eventId: Type.String({ description: 'Id of the event: the header `webhook-id` of each try.' }),
    type: Type.Unsafe<EventType>({
      title: 'DeliveredEventType',
      type: 'string',
      enum: eventTypes,
      description: 'Type of the event.',
    }),
    at: DateTime('When the event happened.'),
    jobId: Type.Optional(
      Type.String({ description: 'Id of the export job. Present if the event is about one.' }),
    ),
    archiveId: Type.Optional(
      Type.String({ description: 'Id of the archive. Present if the event is about one.' }),
    ),
    version: Type.Integer({
      description: 'Version of the job or archive. A higher number is a later event.',
    }),
    state: DeliveryState,
    tries: Type.Integer({ description: 'Number of tries so far.' }),
    triedAt: Type.Optional(DateTime('When it was tried last. Absent before the first try.')),
    status: Type.Optional(
      Type.Integer({
        description: 'HTTP status of the last answer. Absent if there was no answer.',
      }),
    ),
    error: Type.Optional(
      Type.String({
        description:
          'The fault of the last try: a status, a code or a few words. Absent if it did not fail.',
      }),
    ),
    dueAt: Type.Optional(DateTime('When it is sent next. Present while it is `pending`.')),
    endedAt: Type.Optional(
      DateTime('When it was delivered or failed. Absent while it is `pending`.'),
    ),
  },
  {
    title: 'WebhookDelivery',
    description: 'An event for one endpoint.',
    examples: [exampleDelivery],
  },
);

/** A delivery as it is stored, without its body. */
export type StoredDelivery = Omit<
  Selectable<DeliveryRow>,
  'destination' | 'body' | 'owner' | 'leasedUntil'
>;

/** Shows a delivery. */
export function showDelivery(row: StoredDelivery): ShownDelivery {
  const { eventId, type, at, jobId, archiveId, version, state, tries } = row;
  const { triedAt, status, error, dueAt, endedAt } = row;
  return {
    eventId,
    type: type as EventType,
    at: toDateTime(at),
    ...(jobId !== null && { jobId }),
    ...(archiveId !== null && { archiveId }),
    version,
    state,
    tries,
    ...(triedAt !== null && { triedAt: toDateTime(triedAt) }),
    ...(status !== null && { status }),
    ...(error !== null && { error }),
    ...(state === 'pending' && { dueAt: toDateTime(dueAt) }),
    ...(endedAt !== null && { endedAt: toDateTime(endedAt) }),
  };
}
