import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { Text } from '#validation/text.ts';
import { exampleDelivery, ShownDelivery } from '../../contract/delivery-view.ts';
import { EndpointParams } from '../../contract/endpoint-view.ts';
import type { EndpointDeliveries } from '../../operations/endpoint-deliveries.ts';

const Params = Type.Object(
  {
    ...EndpointParams.properties,
    eventId: Text({
      minLength: 1,
      maxLength: 64,
      rule: 'the id of an event, 1 to 64 characters',
      description: 'Id of the event.',
      examples: [exampleDelivery.eventId],
    }),
  },
  { additionalProperties: false },
);

/** Sends one event to a webhook endpoint again. */
export const replayDeliveryRoute: FastifyPluginAsyncTypebox<{
  deliveries: EndpointDeliveries;
}> = async (app, { deliveries }) => {
  app.route({
    method: 'POST',
    url: '/webhook-endpoints/:endpointId/deliveries/:eventId/replay',
    schema: {
      operationId: 'replayWebhookDelivery',
      tags: ['webhook-endpoints'],
      summary: 'Send a delivery again',
      description:
        'Sends an event to the endpoint again, at once. If that fails, it is tried again like a new event. The delivery can be in any state. The message has the same `webhook-id` and body, so receivers can recognise it.',
      params: Params,
      response: { 202: { ...ShownDelivery, examples: [exampleDelivery] } },
    },
    config: {
      action: 'ChangeWebhookEndpoint',
      problems: [
        'webhook-endpoint-not-found',
        'webhook-endpoint-disabled',
        'webhook-delivery-not-found',
        'database-unavailable',
      ],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const { endpointId, eventId } = request.params;
      return reply.code(202).send(await deliveries.replay(request, endpointId, eventId));
    },
  });
};
