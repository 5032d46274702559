import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { inDigits, statedLimits } from '#problems/limits.ts';
import { ReplayDeliveries } from '../../contract/endpoint-bodies.ts';
import { EndpointParams } from '../../contract/endpoint-view.ts';
import type { EndpointDeliveries } from '../../operations/endpoint-deliveries.ts';

/** Sends the failed deliveries of a webhook endpoint again. */
export const replayDeliveries: FastifyPluginAsyncTypebox<{
  deliveries: EndpointDeliveries;
}> = async (app, { deliveries }) => {
  app.route({
    method: 'POST',
    url: '/webhook-endpoints/:endpointId/replay',
    schema: {
      operationId: 'replayWebhookDeliveries',
      tags: ['webhook-endpoints'],
      summary: 'Send failed deliveries again',
      description: `Sends \`failed\` deliveries again, oldest events first. It sends only deliveries whose event happened at \`since\` or later. The replay sets them to \`pending\`, and stops when ${inDigits(statedLimits.replaysPerRequest)} deliveries of the endpoint are \`pending\`. If some are still \`failed\` then, send the request again later.`,
      params: EndpointParams,
      body: ReplayDeliveries,
      response: {
        202: Type.Object(
          {
            replayed: Type.Integer({
              minimum: 0,
              description: 'Number of deliveries that are sent again.',
            }),
          },
          {
            title: 'ReplayedDeliveries',
            description: 'The number of deliveries that are sent again.',
            examples: [{ replayed: 12 }],
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
      const { params, body } = request;
      const replayed = await deliveries.replayFailed(request, params.endpointId, body);
      return reply.code(202).send({ replayed });
    },
  });
};
