import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import fp from 'fastify-plugin';

import { actions } from '#auth/authorization/action.ts';
import { Problem } from '#problems/problem.ts';
import { makeLoad } from './load.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether most of its time the operation waits for news, and so is no work under way. */
    isWaiting?: boolean;
  }
}

/** What shedding goes by. */
export interface OverloadOptions {
  /** How late the event loop is, in milliseconds. */
  loopDelayMs: () => number;
  /** From 0 to below 1. */
  random: () => number;
}

/**
 * Turns requests away when there is more to do than can be done in time: creates first, cancels and
 * reads last, probes and what is public never. Registered before authentication, so that a flood of
 * bad tokens is turned away as well.
 */
export const overloadPlugin: FastifyPluginAsync<OverloadOptions> = fp(
  async (app: FastifyInstance, { loopDelayMs, random }: OverloadOptions) => {
    const load = makeLoad(loopDelayMs);
    // Callers turned away together would otherwise come back together. Made once: the stack of an
    // error would be the dearest of all that is done here to turn a request away.
    const refusals = [1, 2, 3, 4, 5].map(
      (retryAfterSeconds) =>
        new Problem(
          'overloaded',
          'The service is at its limit of requests or of event loop delay.',
          { retryAfterSeconds },
        ),
    );
    const refusal = () => refusals[Math.floor(random() * refusals.length)];

    app.addHook('onRequest', (request, _reply, done) => {
      const { action } = request.routeOptions.config;
      done(action === undefined || load.mayEnter(actions[action]) ? undefined : refusal());
    });

    // Under way is what is being done. Who is not known, or does not send what it began, takes no
    // place: sixty-four senders of half a body would keep everybody else out.
    app.addHook('preHandler', (request, reply, done) => {
      const { action, isWaiting } = request.routeOptions.config;
      if (action === undefined || isWaiting) return done();
      const kind = actions[action];
      if (!load.mayEnter(kind)) return done(refusal()); // many have come since the first look
      load.enter(kind);
      reply.raw.once('close', () => load.leave(kind)); // answered, or left by its caller
      done();
    });
  },
);
