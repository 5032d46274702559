import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import fp from 'fastify-plugin';

import { Problem } from '#problems/problem.ts';
import { actions } from '../authorization/action.ts';
import { anonymous } from '../principal.ts';
import { makeBudget, windowSeconds } from './budget.ts';

/** What one caller may ask for in a minute; 0 is any number. */
export interface RateLimits {
  createsPerMinute: number;
  requestsPerMinute: number;
}

/** What rate limits need; `elapsed` is a clock that only goes forward, in milliseconds. */
export interface LimitsOptions {
  rateLimits: RateLimits;
  elapsed: () => number;
}

/**
 * Holds each caller to its budgets, one for creates and one for all else, and tells it in the fields
 * of draft-ietf-httpapi-ratelimit-headers-10. Registered after authentication: a caller is who it has
 * proved to be, whatever its headers and its address say. Callers who are not told apart have none.
 */
export const limitsPlugin: FastifyPluginAsync<LimitsOptions> = fp(
  async (app: FastifyInstance, { rateLimits, elapsed }: LimitsOptions) => {
    const creates = makePolicy('creates', rateLimits.createsPerMinute);
    const requests = makePolicy('requests', rateLimits.requestsPerMinute);

    app.addHook('onRequest', (request, reply, done) => {
      const { action } = request.routeOptions.config;
      const policy = action && (actions[action] === 'create' ? creates : requests);
      if (!policy || request.principal === anonymous) return done();
      const { isWithin, left, secondsLeft } = policy.spend(request.principal.id);
      reply.header('ratelimit-policy', policy.field);
      reply.header('ratelimit', `"${policy.name}";r=${left};t=${secondsLeft}`);
      done(
        isWithin
          ? undefined
          : new Problem('rate-limited', policy.detail, { retryAfterSeconds: secondsLeft }),
      );
    });

    function makePolicy(name: 'creates' | 'requests', perMinute: number) {
      if (perMinute === 0) return undefined;
      return {
        name,
        field: `"${name}";q=${perMinute};w=${windowSeconds}`,
        detail: `You have sent ${perMinute} ${name} in ${windowSeconds} seconds, which is the limit.`,
        spend: makeBudget(perMinute, elapsed),
      };
    }
  },
);
