import { type Static, Type } from '@sinclair/typebox';
import type { Selectable } from 'kysely';

import type { WebhookEndpointRow } from '#database/rows/notification-rows.ts';
import { DateTime, toDateTime } from '#time/date-time.ts';
import { Text } from '#validation/text.ts';
import { endpointMembers } from './endpoint-members.ts';

/** The id of the webhook endpoint in the examples of the OpenAPI document. */
export const exampleEndpointId = '7f0c2f0e-1f5a-4c55-9a55-2f8f6d0b9c11';

export const EndpointParams = Type.Object(
  {
    endpointId: Text({
      minLength: 1,
      maxLength: 64,
      rule: 'the id of a webhook endpoint, 1 to 64 characters',
      description: 'Id of the webhook endpoint.',
      examples: [exampleEndpointId],
    }),
  },
  { additionalProperties: false },
);

const Link = (description: string) => Type.String({ format: 'uri-reference', description });

const disabledReasons = ['caller', 'gone', 'failing'] as const;

const members = {
  id: Type.String({ description: 'Id of the endpoint.' }),
  url: endpointMembers.url,
  description: Type.Optional({
    ...endpointMembers.description,
    description: 'Description of the endpoint. Absent if it has none.',
  }),
  eventTypes: Type.Optional({
    ...endpointMembers.eventTypes,
    description: 'Types of the events that the endpoint gets. Absent if it gets all.',
  }),
  isEnabled: Type.Boolean({ description: 'Whether the endpoint gets events.' }),
  disabled: Type.Optional(
    Type.Object(
      {
        at: DateTime('When the endpoint was disabled.'),
        reason: Type.Unsafe<(typeof disabledReasons)[number]>({
          title: 'WebhookDisabledReason',
          type: 'string',
          enum: disabledReasons,
          description:
            'The reason. `caller`: you have disabled it. `gone`: it answered 410. `failing`: a delivery used its last try, and all tries failed for five days.',
        }),
      },
      {
        title: 'DisabledWebhookEndpoint',
        description:
          'The time and the reason that the endpoint was disabled. Absent if it gets events.',
      },
    ),
  ),
  failingSince: Type.Optional(
    DateTime(
      'Time of the first failed try after the last successful one. Absent if the last try succeeded.',
    ),
  ),
  createdAt: DateTime('When the endpoint was created.'),
  previousSecretUntil: Type.Optional(
    DateTime(
      'When the previous secret becomes invalid. Until then, messages are also signed with it. Present for 24 hours after a rotation.',
    ),
  ),
  links: Type.Object(
    {
      self: Link('URL path of the endpoint.'),
      rotateSecret: Link('URL path that rotates the secret, with POST.'),
      test: Link('URL path that sends a test event, with POST.'),
      deliveries: Link('URL path of the deliveries.'),
      replay: Link('URL path that sends failed deliveries again, with POST.'),
    },
    { title: 'WebhookEndpointLinks', description: 'URL paths of related operations.' },
  ),
};

/** The endpoint of the examples, without its secret. */
export const exampleEndpoint = {
  id: exampleEndpointId,
  url: 'https://hooks.example.com/log-exports',
  description: 'on-call channel',
  eventTypes: ['export_job.failed', 'archive.at_risk', 'archive.lost'] as const,
  isEnabled: true,
  createdAt: '2024-05-04T08:00:00.000Z',
  links: linksOf(`/webhook-endpoints/${exampleEndpointId}`),
};

/** A webhook endpoint as its caller sees it. */
export type ShownEndpoint = Static<typeof WebhookEndpoint>;
export const WebhookEndpoint = Type.Object(members, {
  title: 'WebhookEndpoint',
  description: 'A URL that gets your events.',
});

/** A webhook endpoint with its new secret. */
export type EndpointWithSecret = Static<typeof WebhookEndpointWithSecret>;
export const WebhookEndpointWithSecret = Type.Object(
  {
    ...members,
    secret: Type.Optional(
      Type.String({
        description:
          'Secret that signs the messages: `whsec_` and 32 bytes in base64. No other answer has it. Absent if the endpoint was created before with the same `Idempotency-Key`: then rotate the secret.',
      }),
    ),
  },
  {
    title: 'WebhookEndpointWithSecret',
    description: 'A webhook endpoint with its new secret.',
    examples: [
      {
        ...exampleEndpoint,
        secret: `whsec_${Buffer.from('an example, not a real secret…').toString('base64')}`,
      },
    ],
  },
);

/** An endpoint as it is stored, without its secrets. */
export type StoredEndpoint = Omit<
  Selectable<WebhookEndpointRow>,
  'principal' | 'secret' | 'previousSecret' | 'idempotencyKey' | 'digest' | 'version'
>;

/** Shows an endpoint. `now` is the clock of the database. */
export function showEndpoint(row: StoredEndpoint, basePath: string, now: number): ShownEndpoint {
  const { id, url, description, disabledAt, disabledReason, failingSince } = row;
  const until = row.previousSecretUntil;
  return {
    id,
    url,
    ...(description !== null && { description }),
    ...(row.eventTypes !== null && { eventTypes: JSON.parse(row.eventTypes) }),
    isEnabled: disabledAt === null,
    ...(disabledAt !== null && {
      disabled: {
        at: toDateTime(disabledAt),
        reason: disabledReason as (typeof disabledReasons)[number],
      },
    }),
    ...(failingSince !== null && { failingSince: toDateTime(failingSince) }),
    createdAt: toDateTime(row.createdAt),
    ...(until !== null && until > now && { previousSecretUntil: toDateTime(until) }),
    links: linksOf(`${basePath}/webhook-endpoints/${id}`),
  };
}

function linksOf(self: string) {
  return {
    self,
    rotateSecret: `${self}/rotate-secret`,
    test: `${self}/test`,
    deliveries: `${self}/deliveries`,
    replay: `${self}/replay`,
  };
}
