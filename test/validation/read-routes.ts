import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { FastifyInstance, RouteOptions } from 'fastify';

import { openWorld } from '../world.ts';

/** Returns the routes of a gateway with all rooms. */
export async function readRoutes(): Promise<RouteOptions[]> {
  const routes: RouteOptions[] = [];
  const listen = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance };
    fastify.addHook('onRoute', (route) => void routes.push(route));
  };
  subscribe('fastify.initialization', listen);
  await using _world = await openWorld({ jobs: {} });
  unsubscribe('fastify.initialization', listen);
  return routes;
}
