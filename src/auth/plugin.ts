import type { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

import type { Audit } from '#audit/audit.ts';
import { Problem } from '#problems/problem.ts';
import type { Authenticate } from './access.ts';
import type { Action } from './authorization/action.ts';
import type { Authorizer, TargetIdentity } from './authorization/authorizer.ts';
import { anonymous, type Principal } from './principal.ts';
import { isPublic } from './public-routes.ts';
import { checkAuthorization } from './routes/check-authorization.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a caller must be permitted to do; a route without one is public (public-routes.ts). */
    action?: Action;
  }
  interface FastifyRequest {
    /** Who is calling; `anonymous` where that does not matter. */
    principal: Principal;
  }
}

/** What says who is calling. */
export interface AuthOptions {
  authenticate: Authenticate;
  audit: Audit;
}

/** Says who is calling, before anything of the request is read. Whether they may, operations ask themselves. */
export const authPlugin: FastifyPluginAsync<AuthOptions> = fp(
  async (app: FastifyInstance, { authenticate, audit }: AuthOptions) => {
    app.decorateRequest('principal');

    app.addHook('onRoute', ({ method, url, config }) => {
      if (config?.action !== undefined || isPublic(url)) return;
      throw new Error(`${method} ${url} has no action, and is not among the public routes`);
    });

    app.addHook('onRequest', async (request, reply) => {
      request.principal = anonymous;
      if (request.routeOptions.config.action === undefined) return;
      try {
        request.principal = await authenticate(request.raw);
      } catch (error) {
        recordRefusal(request, error);
        // The same certificate may be accepted on a new connection: its authorities may have changed.
        const socket = request.raw.socket as Partial<TLSSocket>;
        if (socket.getPeerX509Certificate?.()) reply.header('connection', 'close');
        throw error;
      }
    });

    function recordRefusal({ id, routeOptions }: FastifyRequest, error: unknown): void {
      if (!(error instanceof Problem)) return;
      const route = routeOptions.url ?? null;
      audit.refusal({ requestId: id, route, error: error.detail });
    }
  },
);

/**
 * Refuses a request whose body no policy could make permitted, before any of it is read. Registered
 * after the limits: a refused request counts as well.
 */
export const bodyPermissionPlugin: FastifyPluginAsync<{ authorizer: Authorizer }> = fp(
  async (app: FastifyInstance, { authorizer }: { authorizer: Authorizer }) => {
    app.addHook('onRequest', (request, _reply, done) => {
      const { config, schema } = request.routeOptions;
      if (config.action !== undefined && schema?.body !== undefined) {
        authorizer.requireAny(request, config.action);
      }
      done();
    });
  },
);

/** What the policies are asked through. */
export interface AuthorizationPluginOptions {
  authorizer: Authorizer;
  /** The target of that name, or the default one. */
  findTarget: (name: string | undefined) => TargetIdentity;
}

/** Registers what is told about the policies over HTTP. */
export const authorizationPlugin: FastifyPluginAsync<AuthorizationPluginOptions> = async (
  app,
  options,
) => {
  await app.register(checkAuthorization, options);
};
