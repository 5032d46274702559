import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import { EndpointParams, exampleEndpoint, WebhookEndpoint } from '../contract/endpoint-view.ts';
import type { ManageEndpoints } from '../operations/manage-endpoints.ts';

/** Deletes a webhook endpoint with its deliveries. */
export const deleteEndpointRoute: FastifyPluginAsyncTypebox<{
  endpoints: ManageEndpoints;
}> = async (app, { endpoints }) => {
  app.route({
    method: 'DELETE',
    url: '/webhook-endpoints/:endpointId',
    schema: {
      operationId: 'deleteWebhookEndpoint',
      tags: ['webhook-endpoints'],
      summary: 'Delete a webhook endpoint',
      description:
        'Deletes an endpoint, its secret and its deliveries. Events that are not delivered yet are not sent. The answer has the endpoint as it was.',
      params: EndpointParams,
      response: { 200: { ...WebhookEndpoint, examples: [exampleEndpoint] } },
    },
    config: {
      action: 'ChangeWebhookEndpoint',
      problems: ['webhook-endpoint-not-found', 'database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: (request) => endpoints.delete(request, request.params.endpointId),
  });
};
