import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import fp from 'fastify-plugin';

import { actions } from '#auth/authorization/action.ts';
import { Problem } from '#problems/problem.ts';
import { makeLoad } from './load.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the operation mostly waits for changes. Then it does not count as in flight. */
    isWaiting?: boolean;
  }
}

/** What shedding depends on. */
export interface OverloadOptions {
  /** The delay of the event loop, in milliseconds. */
  loopDelayMs: () => number;
  /** From 0 to below 1. */
  random: () => number;
}

/**
 * Sheds requests under overload: creates first, cancels and reads last, probes and public routes never. It
 * is registered before authentication, so that it sheds a flood of invalid tokens, too.
 */
export const overloadPlugin: FastifyPluginAsync<OverloadOptions> = fp(
  async (app: FastifyInstance, { loopDelayMs, random }: OverloadOptions) => {
    const load = makeLoad(loopDelayMs);
    // Different pauses, because callers that are shed together would come back together. Made once,
    // because the stack trace of an error is the largest cost of shedding a request.
    const refusals = [1, 2, 3, 4, 5].map(
      (retryAfterSeconds) =>
        new Problem(
          'overloaded',
          'The service has too many requests in progress, or it answers too slowly.',
          { retryAfterSeconds },
        ),
    );
    const refusal = () => refusals[Math.floor(random() * refusals.length)];

    app.addHook('onRequest', (request, _reply, done) => {
      const { action } = request.routeOptions.config;
      done(action === undefined || load.mayEnter(actions[action]) ? undefined : refusal());
    });

    // A request counts as in flight only once it is authenticated and its body has arrived. Otherwise
    // 64 clients that send half a body would block everyone else.
    app.addHook('preHandler', (request, reply, done) => {
      const { action, isWaiting } = request.routeOptions.config;
      if (action === undefined || isWaiting) return done();
      // The caller has left during its authentication. Nothing would end the count of this request.
      if (reply.raw.closed) return;
      const kind = actions[action];
      if (!load.mayEnter(kind)) return done(refusal()); // the load has changed since onRequest
      load.enter(kind);
      reply.raw.once('close', () => load.leave(kind)); // answered or aborted
      done();
    });
  },
);
