import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

import type { Audit } from '#audit/audit.ts';
import { Problem } from '#problems/problem.ts';
import type { Authenticate } from './access.ts';
import type { Signatures, SignedRequest } from './authentication/signature/signatures.ts';
import type { Action } from './authorization/action.ts';
import type { Authorizer, TargetIdentity } from './authorization/authorizer.ts';
import { anonymous, type Principal } from './principal.ts';
import { isPublic } from './public-routes.ts';
import { checkAuthorization } from './routes/check-authorization.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The action that the caller needs permission for; a route without one is public (public-routes.ts). */
    action?: Action;
    /**
     * Whether the caller signs the request with its body. Then the caller is known only when the body has
     * been read: it is `anonymous` before, and its limits count after. Default: false.
     */
    isSigned?: boolean;
    /** Returns the request with its credential in the headers. Default: the request itself. */
    withCredential?: (request: IncomingMessage) => IncomingMessage;
  }
  interface FastifyRequest {
    /** The authenticated caller; `anonymous` on public routes. */
    principal: Principal;
    /** What a signed request states about itself; undefined on all other routes. */
    signed: SignedRequest | undefined;
  }
}

/** What the plugin authenticates with. */
export interface AuthOptions {
  authenticate: Authenticate;
  /** The verification of signed requests; absent if no route has `isSigned`. */
  signatures?: Signatures | undefined;
  audit: Audit;
}

/**
 * Authenticates the caller before the body is read, or a signature right after it. Operations check the
 * permissions themselves.
 */
export const authPlugin: FastifyPluginAsync<AuthOptions> = fp(
  async (app: FastifyInstance, { authenticate, signatures, audit }: AuthOptions) => {
    app.decorateRequest('principal');
    app.decorateRequest('signed', undefined);

    app.addHook('onRoute', ({ method, url, config }) => {
      if (config?.isSigned && !signatures) {
        throw new Error(`${method} ${url} is signed, but no signature is verified`);
      }
      if (config?.action !== undefined || isPublic(url)) return;
      throw new Error(`${method} ${url} has no action and is not a public route`);
    });

    app.addHook('onRequest', (request, reply, done) => {
      request.principal = anonymous;
      const { action } = request.routeOptions.config;
      if (action === undefined) return done();
      identify(request, reply).then(() => done(), done);
    });

    async function identify(request: FastifyRequest, reply: FastifyReply): Promise<void> {
      const { isSigned, withCredential } = request.routeOptions.config;
      try {
        if (isSigned) request.signed = await signatures?.read(request.raw);
        else request.principal = await authenticate(withCredential?.(request.raw) ?? request.raw);
      } catch (error) {
        recordRefusal(request, error);
        // A new connection may accept the same certificate: the CA certificates may have changed.
        const socket = request.raw.socket as Partial<TLSSocket>;
        if (socket.getPeerX509Certificate?.()) reply.header('connection', 'close');
        throw error;
      }
    }

    app.addHook('preValidation', (request, _reply, done) => {
      const { raw, signed, body } = request;
      if (!signed || !signatures) return done();
      try {
        request.principal = signatures.verify(raw, signed, (body as Buffer | undefined) ?? noBody);
        done();
      } catch (error) {
        recordRefusal(request, error);
        done(error as Error);
      }
    });

    function recordRefusal({ id, routeOptions }: FastifyRequest, error: unknown): void {
      if (!(error instanceof Problem)) return;
      const route = routeOptions.url ?? null;
      audit.refusal({ requestId: id, route, error: error.detail });
    }
  },
);

const noBody = Buffer.alloc(0);

/**
 * Refuses a request before its body is read if no policy could permit it, whatever the body is.
 * It is registered after the limits, so that refused requests count, too.
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

/** What the authorization routes need. */
export interface AuthorizationPluginOptions {
  authorizer: Authorizer;
  /** What policies see of the target of that name, or of the default one. The target need not exist. */
  identityNamed: (name: string | undefined) => TargetIdentity;
  /** The target of that name, or the default one. */
  findTarget: (name: string | undefined) => TargetIdentity;
}

/** Registers the routes about policies. */
export const authorizationPlugin: FastifyPluginAsync<AuthorizationPluginOptions> = async (
  app,
  options,
) => {
  await checkAuthorization(app, options);
};
