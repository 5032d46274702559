import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import { ChangeWebhookEndpoint } from '../contract/endpoint-bodies.ts';
import { EndpointParams, exampleEndpoint, WebhookEndpoint } from '../contract/endpoint-view.ts';
import type { ManageEndpoints } from '../operations/manage-endpoints.ts';

/** Changes, enables or disables a webhook endpoint. */
export const changeEndpointRoute: FastifyPluginAsyncTypebox<{
  endpoints: ManageEndpoints;
}> = async (app, { endpoints }) => {
  app.route({
    method: 'PATCH',
    url: '/webhook-endpoints/:endpointId',
    schema: {
      operationId: 'changeWebhookEndpoint',
      tags: ['webhook-endpoints'],
      summary: 'Change a webhook endpoint',
      description:
        'Changes members of an endpoint, and enables or disables it. Pending deliveries go to the new URL. The policies must permit `ChangeWebhookEndpoint`. A new URL also needs `CreateWebhookEndpoint` for its origin. The secret stays the same. If you disable an endpoint, its pending deliveries become `failed`. An endpoint that is disabled gets no events, and events of that time are not sent later.',
      params: EndpointParams,
      body: ChangeWebhookEndpoint,
      response: { 200: { ...WebhookEndpoint, examples: [exampleEndpoint] } },
    },
    config: {
      action: 'ChangeWebhookEndpoint',
      problems: ['webhook-endpoint-not-found', 'webhook-url-not-allowed', 'database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: (request) => endpoints.change(request, request.params.endpointId, request.body),
  });
};
