import { Type } from '@sinclair/typebox';

import { DateTime } from '#time/date-time.ts';
import { exampleDelivery } from './delivery-view.ts';

const { eventId, type, at, jobId, version } = exampleDelivery;

const EventData = Type.Object(
  {
    jobId: Type.Optional(
      Type.String({ description: 'Id of the export job. Present in `export_job.*`.' }),
    ),
    archiveId: Type.Optional(
      Type.String({
        description:
          'Id of the archive. Present in `archive.*`, and in `export_job.*` if the job belongs to an archive.',
      }),
    ),
    endpointId: Type.Optional(
      Type.String({ description: 'Id of the webhook endpoint. Present in `webhook.test`.' }),
    ),
    target: Type.Optional(
      Type.String({ description: 'Name of the target. Absent in `webhook.test`.' }),
    ),
    version: Type.Integer({
      description:
        'Version of what has changed, after the change: of the job in `export_job.*`, of the archive in `archive.*`. Ignore an event if you have seen a higher version of the same job or archive.',
    }),
    state: Type.Optional(
      Type.String({
        description:
          'State of what has changed, after the change: of the job or of the archive. Absent in `webhook.test`.',
      }),
    ),
    name: Type.Optional(
      Type.String({ description: 'Name of the archive. Present in `archive.*`.' }),
    ),
    url: Type.String({ description: 'URL path of what has changed, to read it.' }),
  },
  { description: 'The change that the event is about.' },
);

const Event = Type.Object(
  {
    type: Type.String({
      description:
        'Type of the event: one of `WebhookEventType`, or `webhook.test`. Accept other types, too: later versions can add some.',
    }),
    timestamp: DateTime('When the event happened.'),
    data: EventData,
  },
  {
    description:
      'An event. It names what has changed, and where to read it. Accept members that you do not know: later versions can add some.',
  },
);

const header = (name: string, description: string, schema: object, example: unknown) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema,
  example,
});

/**
 * The messages that this service sends to webhook endpoints, as an OpenAPI document has them. Two generators
 * decide their form. oapi-codegen removes components that no path refers to, and its code does not compile
 * then: so the schema is no component. openapi-generator replaces the class of a tag by that of the webhooks
 * with the same tag: so the message has none.
 */
export const webhookMessages = {
  event: {
    post: {
      operationId: 'receiveWebhookEvent',
      summary: 'Receive an event',
      description:
        'The request that this service sends to the `url` of a webhook endpoint. It is signed as Standard Webhooks 1.0.0 defines. Verify the signature with the secret of the endpoint and the body as it was received. Refuse a message whose `webhook-timestamp` differs from your clock by more than five minutes. An event can arrive more than once. Events can arrive in another order than they happened.',
      security: [], // the signature authenticates this service
      parameters: [
        header(
          'webhook-id',
          'Id of the event, the same in every try and every replay.',
          { type: 'string' },
          eventId,
        ),
        header(
          'webhook-timestamp',
          'Time of this try, in seconds since 1970-01-01T00:00:00Z.',
          { type: 'integer' },
          1_714_809_605,
        ),
        header(
          'webhook-signature',
          'Signatures, separated by spaces: `v1,` and the HMAC-SHA256 of `<webhook-id>.<webhook-timestamp>.<body>`, in base64. Accept the message if one of them is valid. During a rotation of the secret there are two.',
          { type: 'string' },
          'v1,EkHi74NXLiwxPERdjNewXNwBB299QYdL+YE9K4CprXw=',
        ),
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: Event,
            example: {
              type,
              timestamp: at,
              data: {
                jobId,
                target: 'default',
                version,
                state: 'failed',
                url: `/export-jobs/${jobId}`,
              },
            },
          },
        },
      },
      responses: {
        '2XX': {
          description:
            'The event is delivered. The body of the answer is not read. Every other answer is a failure. No answer within 15 seconds is a failure, too. Then the event is sent again.',
        },
        410: { description: 'This service disables the endpoint.' },
      },
    },
  },
};
