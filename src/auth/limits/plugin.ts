import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

import { setAsNewest } from '#caching/bounded-map.ts';
import { countOf } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import { actions } from '../authorization/action.ts';
import { anonymous } from '../principal.ts';
import { makeBudget, windowSeconds } from './budget.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether copies of an accepted signed request do nothing. Then they do not count as creates. Default: false. */
    isOnce?: boolean;
    /** Whether it is a list that costs as much as a create. It has a budget of its own. Default: false. */
    isCostlyList?: boolean;
  }
}

/** The limits of each caller per minute; 0 means no limit. */
export interface RateLimits {
  createsPerMinute: number;
  requestsPerMinute: number;
}

/** What rate limits need; `elapsed` is a clock that only goes forward, in milliseconds. */
export interface LimitsOptions {
  rateLimits: RateLimits;
  elapsed: () => number;
}

// Some 200 bytes each. Lower: copies of recent creates count again. Higher: they take memory.
const maxAccepted = 5_000;

/**
 * Limits the requests of each caller: one budget for creates, one of the same size for lists that cost as much, and one
 * for all other requests, also for copies of an accepted signed create. Answers carry the fields of draft-ietf-httpapi-ratelimit-headers-10. It is registered after
 * authentication, so headers and addresses cannot change whose budget is used. Anonymous callers have no limit.
 */
export const limitsPlugin: FastifyPluginAsync<LimitsOptions> = fp(
  async (app: FastifyInstance, { rateLimits, elapsed }: LimitsOptions) => {
    const creates = makePolicy('creates', rateLimits.createsPerMinute);
    const lists = makePolicy('lists', rateLimits.createsPerMinute);
    const requests = makePolicy('requests', rateLimits.requestsPerMinute);
    // Signed creates that were accepted. A copy creates nothing, and anybody who has recorded it can send it. A copy of
    // a refused create costs as much as the first one.
    const accepted = new Map<string, true>();

    app.addHook('onRequest', (request, reply, done) => {
      if (request.routeOptions.config.isSigned) done();
      else spend(request, reply, done);
    });
    // The caller of a signed request is known only now.
    app.addHook('preValidation', (request, reply, done) => {
      if (request.routeOptions.config.isSigned) spend(request, reply, done);
      else done();
    });
    app.addHook('onSend', (request, reply, _payload, done) => {
      if (reply.statusCode < 400 && request.routeOptions.config.isOnce)
        setAsNewest(accepted, copyKeyOf(request), true, maxAccepted);
      done();
    });

    const copyKeyOf = ({ principal, signed }: FastifyRequest) =>
      `${principal.id} ${signed?.signature}`;

    function spend(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) {
      const { id } = request.principal;
      const policy = policyOf(request);
      if (!policy || request.principal === anonymous) return done();
      const { isAllowed, remaining, resetSeconds } = policy.spend(id);
      reply.header('ratelimit-policy', policy.field);
      reply.header('ratelimit', `"${policy.name}";r=${remaining};t=${resetSeconds}`);
      done(
        isAllowed
          ? undefined
          : new Problem('rate-limited', policy.detail, { retryAfterSeconds: resetSeconds }),
      );
    }

    function policyOf(request: FastifyRequest) {
      const { action, isOnce, isCostlyList } = request.routeOptions.config;
      if (!action) return undefined;
      if (isCostlyList) return lists;
      const isCopy = isOnce && accepted.has(copyKeyOf(request));
      return actions[action] === 'create' && !isCopy ? creates : requests;
    }

    function makePolicy(name: 'creates' | 'lists' | 'requests', perMinute: number) {
      if (perMinute === 0) return undefined;
      return {
        name,
        field: `"${name}";q=${perMinute};w=${windowSeconds}`,
        detail: `You have sent ${countOf(perMinute, name.slice(0, -1))} in ${windowSeconds} seconds, which is the limit.`,
        spend: makeBudget(perMinute, elapsed),
      };
    }
  },
);
