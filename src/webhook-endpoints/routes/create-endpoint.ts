import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import { idempotencyKeyHeaders, keyUseOf } from '#export-jobs/idempotency-key-header.ts';
import { toProblem } from '#problems/plugin.ts';
import { withRepeatability } from '#problems/repeatability.ts';
import { CreateWebhookEndpoint } from '../contract/endpoint-bodies.ts';
import { WebhookEndpointWithSecret } from '../contract/endpoint-view.ts';
import type { ManageEndpoints } from '../operations/manage-endpoints.ts';

const Headers = idempotencyKeyHeaders(
  'A unique key for this request, such as a UUID. Without a key, each request creates a new endpoint. The same key with the same body returns the same endpoint, without its secret. Each caller has its own keys.',
);

/** Creates a webhook endpoint. Only this answer has its secret. */
export const createEndpoint: FastifyPluginAsyncTypebox<{ endpoints: ManageEndpoints }> = async (
  app,
  { endpoints },
) => {
  app.route({
    method: 'POST',
    url: '/webhook-endpoints',
    schema: {
      operationId: 'createWebhookEndpoint',
      tags: ['webhook-endpoints'],
      summary: 'Create a webhook endpoint',
      description:
        'Creates an endpoint: a URL that gets your events, as Standard Webhooks 1.0.0 defines. Each event is one POST, signed with the secret of the endpoint. The answer has the secret, and no other answer has it. The policies must permit `CreateWebhookEndpoint` for the origin of the URL. The URL is not called: send a test event with POST /webhook-endpoints/{endpointId}/test.',
      headers: Headers,
      body: CreateWebhookEndpoint,
      response: { 201: WebhookEndpointWithSecret },
    },
    config: {
      action: 'CreateWebhookEndpoint',
      problems: [
        'webhook-url-not-allowed',
        'too-many-webhook-endpoints',
        'idempotency-key-reused',
        'database-unavailable',
      ],
      headers: { 201: ['Location'] },
      timeoutProblem: 'database-unavailable',
    },
    errorHandler(error, request) {
      throw withRepeatability(toProblem(error, request), request);
    },
    handler: async (request, reply) => {
      const { body } = request;
      const keyUse = keyUseOf(request.headers, body);
      const endpoint = await endpoints.create(request, body, keyUse);
      return reply.code(201).header('location', endpoint.links.self).send(endpoint);
    },
  });
};
