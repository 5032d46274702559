import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import { EndpointParams, exampleEndpoint, WebhookEndpoint } from '../contract/endpoint-view.ts';
import type { ManageEndpoints } from '../operations/manage-endpoints.ts';

/** Shows a webhook endpoint. */
export const getEndpoint: FastifyPluginAsyncTypebox<{ endpoints: ManageEndpoints }> = async (
  app,
  { endpoints },
) => {
  app.route({
    method: 'GET',
    url: '/webhook-endpoints/:endpointId',
    schema: {
      operationId: 'getWebhookEndpoint',
      tags: ['webhook-endpoints'],
      summary: 'Get a webhook endpoint',
      description: 'Returns one of your webhook endpoints, without its secret.',
      params: EndpointParams,
      response: { 200: { ...WebhookEndpoint, examples: [exampleEndpoint] } },
    },
    config: {
      action: 'ReadWebhookEndpoint',
      problems: ['webhook-endpoint-not-found', 'database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: (request) => endpoints.show(request, request.params.endpointId),
  });
};
