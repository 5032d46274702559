import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling, as far as this service knows. */
    principal: string;
  }
}

/**
 * Says who is calling. Callers are not told apart: everybody who reaches the port is `anonymous`,
 * so the port must be reachable by trusted services only (README, Limits).
 */
export const authPlugin: FastifyPluginAsync = fp(async (app: FastifyInstance) => {
  app.decorateRequest('principal', 'anonymous');
});
