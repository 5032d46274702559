import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { inDigits, statedLimits } from '#problems/limits.ts';
import { exampleDelivery } from '../contract/delivery-view.ts';
import { EndpointParams } from '../contract/endpoint-view.ts';
import type { EndpointDeliveries } from '../operations/endpoint-deliveries.ts';

/** Sends a test event to a webhook endpoint, on the way of all events. */
export const testEndpoint: FastifyPluginAsyncTypebox<{ deliveries: EndpointDeliveries }> = async (
  app,
  { deliveries },
) => {
  app.route({
    method: 'POST',
    url: '/webhook-endpoints/:endpointId/test',
    schema: {
      operationId: 'testWebhookEndpoint',
      tags: ['webhook-endpoints'],
      summary: 'Send a test event',
      description: `Sends an event of the type \`webhook.test\` to the endpoint. \`eventTypes\` does not matter. The event is sent, and tried again, like every other event. GET /webhook-endpoints/{endpointId}/deliveries has the result. While ${inDigits(statedLimits.pendingAtTest)} test events of the endpoint are pending, the answer is 429.`,
      params: EndpointParams,
      response: {
        202: Type.Object(
          { eventId: Type.String({ description: 'Id of the event: the header `webhook-id`.' }) },
          {
            title: 'WebhookTest',
            description: 'A test event that will be sent.',
            examples: [{ eventId: exampleDelivery.eventId }],
          },
        ),
      },
    },
    config: {
      action: 'ChangeWebhookEndpoint',
      problems: ['webhook-endpoint-not-found', 'webhook-endpoint-disabled', 'database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const eventId = await deliveries.sendTest(request, request.params.endpointId);
      return reply.code(202).send({ eventId });
    },
  });
};
