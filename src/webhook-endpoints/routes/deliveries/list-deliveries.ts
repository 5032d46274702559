import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { NextCursor } from '#paging/page.ts';
import { exampleDelivery, ShownDelivery } from '../../contract/delivery-view.ts';
import { EndpointParams } from '../../contract/endpoint-view.ts';
import {
  DeliveryListQuery,
  type EndpointDeliveries,
} from '../../operations/endpoint-deliveries.ts';

/** Lists the deliveries of a webhook endpoint, those of the newest events first. */
export const listDeliveries: FastifyPluginAsyncTypebox<{ deliveries: EndpointDeliveries }> = async (
  app,
  { deliveries },
) => {
  app.route({
    method: 'GET',
    url: '/webhook-endpoints/:endpointId/deliveries',
    schema: {
      operationId: 'listWebhookDeliveries',
      tags: ['webhook-endpoints'],
      summary: 'List the deliveries of a webhook endpoint',
      description:
        'Returns the deliveries of an endpoint, those of the newest events first. Each has its state and the result of its last try. Deliveries that have ended are kept for seven days, at most 2,000 of them.',
      params: EndpointParams,
      querystring: DeliveryListQuery,
      response: {
        200: Type.Object(
          {
            deliveries: Type.Array(ShownDelivery, { description: 'The deliveries of this page.' }),
            nextCursor: NextCursor,
          },
          {
            title: 'WebhookDeliveryPage',
            description: 'A page of deliveries.',
            examples: [{ deliveries: [exampleDelivery] }],
          },
        ),
      },
    },
    config: {
      action: 'ReadWebhookEndpoint',
      problems: ['webhook-endpoint-not-found', 'database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request) => {
      const { params, query } = request;
      const { entries, ...page } = await deliveries.list(request, params.endpointId, query);
      return { deliveries: entries, ...page };
    },
  });
};
