import { type Static, type TSchema, Type } from '@sinclair/typebox';

import { Instant } from '#validation/instant.ts';
import { endpointMembers } from './endpoint-members.ts';

const { url, description, eventTypes } = endpointMembers;

/** The body of POST /webhook-endpoints. */
export type CreateWebhookEndpoint = Static<typeof CreateWebhookEndpoint>;
export const CreateWebhookEndpoint = Type.Object(
  {
    url,
    description: Type.Optional({
      ...description,
      description: `${description.description} Default: none.`,
    }),
    eventTypes: Type.Optional({
      ...eventTypes,
      description: `${eventTypes.description} Default: all types, including those that later versions add.`,
    }),
  },
  {
    title: 'CreateWebhookEndpoint',
    additionalProperties: false,
    description: 'A request to send your events to a URL.',
    'x-rule': 'a JSON object with url',
    examples: [
      {
        url: 'https://hooks.example.com/log-exports',
        description: 'on-call channel',
        eventTypes: ['export_job.failed', 'archive.at_risk', 'archive.lost'],
      },
    ],
  },
);

const Nullable = <Schema extends TSchema>(schema: Schema) =>
  Type.Optional(Type.Unsafe<Static<Schema> | null>({ ...schema, 'x-nullable': true }));

/** The body of PATCH /webhook-endpoints/{endpointId}: a JSON merge patch (RFC 7396). */
export type ChangeWebhookEndpoint = Static<typeof ChangeWebhookEndpoint>;
export const ChangeWebhookEndpoint = Type.Object(
  {
    url: Type.Optional(url),
    description: Nullable(description),
    eventTypes: Nullable(eventTypes),
    isEnabled: Type.Optional(
      Type.Boolean({
        description:
          'Whether the endpoint gets events. `true` also enables an endpoint that the service has disabled.',
        'x-rule': 'true or false',
      }),
    ),
  },
  {
    title: 'ChangeWebhookEndpoint',
    additionalProperties: false,
    description:
      'The members of an endpoint to change. An absent member stays as it is. `null` has the effect of an absent member in POST /webhook-endpoints. `url` and `isEnabled` must not be `null`.',
    'x-rule': 'a JSON object with the members to change',
    // The name of the operation: its path depends on PUBLIC_BASE_PATH.
    'x-fixed': { secret: 'use the operation rotateWebhookSecret' },
    examples: [{ isEnabled: true }],
  },
);

/** The body of POST /webhook-endpoints/{endpointId}/replay. */
export type ReplayDeliveries = Static<typeof ReplayDeliveries>;
export const ReplayDeliveries = Type.Object(
  {
    since: Instant({
      description:
        'Failed deliveries of events since this instant, inclusive, are sent again. Milliseconds since 1970-01-01T00:00:00Z, or RFC 3339 text with an offset.',
    }),
  },
  {
    title: 'ReplayDeliveries',
    additionalProperties: false,
    description: 'A request to send failed deliveries again.',
    'x-rule': 'a JSON object with since',
    examples: [{ since: '2024-05-01T00:00:00Z' }],
  },
);
