import { Type } from '@sinclair/typebox';

import { type EventType, eventTypes } from '#notifications/event.ts';
import { Text } from '#validation/text.ts';

/** The types of events that an endpoint can choose. It gets a test only if its caller asks for one. */
const choosable = eventTypes.filter((type) => type !== 'webhook.test');

/** The type of an event, in requests and answers. */
const WebhookEventType = Type.Unsafe<EventType>({
  title: 'WebhookEventType',
  type: 'string',
  enum: choosable,
  description:
    'Type of an event. `export_job.*`: a job of yours has ended. `archive.at_risk`: your archive has log events that expire soon and are not exported yet. `archive.lost`: a partition can no longer be exported. `archive.stopped`: the archive creates no exports, because of its destination or a missing permission. `archive.recovered`: the archive is no longer stopped or at risk.',
  'x-rule': `one of ${choosable.join(', ')}`,
});

/** The members of an endpoint that its caller chooses. */
export const endpointMembers = {
  url: Text({
    minLength: 1,
    maxLength: 2_048,
    rule: 'a URL of 1 to 2048 characters that begins with https://',
    description:
      'URL that events are sent to. It begins with `https://`, uses the default port 443 and has a public address. The operator can allow other origins with `WEBHOOK_ORIGINS`.',
  }),
  description: Text({
    maxLength: 256,
    rule: 'text of at most 256 characters',
    description: 'Description of the endpoint, for people.',
  }),
  eventTypes: Type.Array(WebhookEventType, {
    minItems: 1,
    uniqueItems: true,
    description: 'Types of the events that the endpoint gets.',
    'x-rule': `one or more of ${choosable.join(', ')}`,
  }),
};
