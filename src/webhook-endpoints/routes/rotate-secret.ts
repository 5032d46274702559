import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import { toProblem } from '#problems/plugin.ts';
import { withRepeatability } from '#problems/repeatability.ts';
import { EndpointParams, WebhookEndpointWithSecret } from '../contract/endpoint-view.ts';
import type { ManageEndpoints } from '../operations/manage-endpoints.ts';

/** Gives a webhook endpoint a new secret. Only this answer has it. */
export const rotateEndpointSecret: FastifyPluginAsyncTypebox<{
  endpoints: ManageEndpoints;
}> = async (app, { endpoints }) => {
  app.route({
    method: 'POST',
    url: '/webhook-endpoints/:endpointId/rotate-secret',
    schema: {
      operationId: 'rotateWebhookSecret',
      tags: ['webhook-endpoints'],
      summary: 'Rotate the secret of a webhook endpoint',
      description:
        'Gives an endpoint a new secret, and returns it. No other answer has it. For 24 hours, each message has a signature of the new secret and one of the previous secret. So a receiver can change its secret without a gap. If you rotate the secret again in that time, the oldest of the three secrets becomes invalid at once.',
      params: EndpointParams,
      response: { 200: WebhookEndpointWithSecret },
    },
    config: {
      action: 'ChangeWebhookEndpoint',
      problems: ['webhook-endpoint-not-found', 'database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    errorHandler(error, request) {
      // A second rotation would end the secret that the receiver has. No key makes it safe to repeat.
      throw withRepeatability(toProblem(error, request), { headers: {}, query: {} });
    },
    handler: (request) => endpoints.rotate(request, request.params.endpointId),
  });
};
