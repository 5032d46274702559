import type { FastifyPluginAsync } from 'fastify';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { makeEndpointAccess } from './endpoint-access.ts';
import { makeEndpointDeliveries } from './operations/endpoint-deliveries.ts';
import { makeManageEndpoints } from './operations/manage-endpoints.ts';
import { changeEndpointRoute } from './routes/change-endpoint.ts';
import { createEndpoint } from './routes/create-endpoint.ts';
import { deleteEndpointRoute } from './routes/delete-endpoint.ts';
import { listDeliveries } from './routes/deliveries/list-deliveries.ts';
import { replayDeliveries } from './routes/deliveries/replay-deliveries.ts';
import { replayDeliveryRoute } from './routes/deliveries/replay-delivery.ts';
import { getEndpoint } from './routes/get-endpoint.ts';
import { listEndpoints } from './routes/list-endpoints.ts';
import { rotateEndpointSecret } from './routes/rotate-secret.ts';
import { testEndpoint } from './routes/test-endpoint.ts';
import type { WebhookEndpoints } from './webhook-endpoints.ts';

/** What the routes of webhook endpoints need. */
export interface WebhookEndpointsPluginOptions extends WebhookEndpoints {
  database: Database;
  authorizer: Authorizer;
  /** The public path prefix of all links. */
  basePath: string;
  newId: () => string;
}

/** Registers the operations on webhook endpoints. It queries nothing before the first request. */
export const webhookEndpointsPlugin: FastifyPluginAsync<WebhookEndpointsPluginOptions> = async (
  app,
  options,
) => {
  const access = makeEndpointAccess(options);
  const endpoints = makeManageEndpoints({ ...options, access });
  const deliveries = makeEndpointDeliveries({ ...options, access });
  await createEndpoint(app, { endpoints });
  await listEndpoints(app, { endpoints });
  await getEndpoint(app, { endpoints });
  await changeEndpointRoute(app, { endpoints });
  await rotateEndpointSecret(app, { endpoints });
  await deleteEndpointRoute(app, { endpoints });
  await testEndpoint(app, { deliveries });
  await listDeliveries(app, { deliveries });
  await replayDeliveryRoute(app, { deliveries });
  await replayDeliveries(app, { deliveries });
};
