import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { exampleEndpoint, WebhookEndpoint } from '../contract/endpoint-view.ts';
import type { ManageEndpoints } from '../operations/manage-endpoints.ts';

/** Lists the webhook endpoints of the caller. They are few, so there are no pages. */
export const listEndpoints: FastifyPluginAsyncTypebox<{ endpoints: ManageEndpoints }> = async (
  app,
  { endpoints },
) => {
  app.route({
    method: 'GET',
    url: '/webhook-endpoints',
    schema: {
      operationId: 'listWebhookEndpoints',
      tags: ['webhook-endpoints'],
      summary: 'List webhook endpoints',
      description: 'Returns all your webhook endpoints, newest first, without their secrets.',
      response: {
        200: Type.Object(
          {
            webhookEndpoints: Type.Array(WebhookEndpoint, { description: 'Your endpoints.' }),
          },
          {
            title: 'WebhookEndpointList',
            description: 'All webhook endpoints of a caller.',
            examples: [{ webhookEndpoints: [exampleEndpoint] }],
          },
        ),
      },
    },
    config: {
      action: 'ReadWebhookEndpoint',
      problems: ['database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request) => ({ webhookEndpoints: await endpoints.list(request) }),
  });
};
