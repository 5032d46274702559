import accepts from '@fastify/accepts';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

import { Problem, problemMediaType } from '#problems/problem.ts';
import { jsonContentType, readJsonBody } from '#validation/json-body.ts';
import type { EdgeLimits } from './limits.ts';
import { type RawConnectionsOptions, refuseExpectations } from './raw-connections.ts';

/** What the edge needs. */
export interface EdgeOptions extends RawConnectionsOptions {
  limits: EdgeLimits;
  /** Whether the process is about to stop: then connections are not kept. */
  isStopping: () => boolean;
}

/** Refuses what no operation has to see, and marks every answer. */
export const edgePlugin: FastifyPluginAsync<EdgeOptions> = fp(
  async (app: FastifyInstance, options: EdgeOptions) => {
    const { limits, isStopping } = options;
    refuseExpectations(app.server, options);
    await app.register(accepts);

    app.addHook('onRequest', async (request, reply) => {
      keepTimeLimit(request, reply);
      reply.header('x-request-id', request.id);
      reply.header('x-content-type-options', 'nosniff');
      reply.header('cache-control', 'no-store');
      if (isStopping()) reply.header('connection', 'close');

      const { url = '' } = request.raw;
      if (url.length > limits.urlBytes) {
        throw new Problem(
          'url-too-long',
          `The URL has ${url.length} bytes, more than ${limits.urlBytes}.`,
        );
      }
      if (!url.startsWith('/')) {
        // "GET http://host/path" and "OPTIONS *": forms for proxies, on which parsers disagree.
        throw new Problem(
          'malformed-request',
          'The request target must be a path that begins with "/".',
        );
      }
      const coding = request.headers['content-encoding'];
      if (coding !== undefined && coding !== 'identity') {
        throw new Problem('unsupported-media-type', 'A Content-Encoding is not read here.');
      }
      const { accept } = request.headers;
      if (accept === undefined || accept === '*/*' || accept === 'application/json') return;
      const { config, url: route } = request.routeOptions;
      const produces = config.produces ?? ['application/json'];
      const isOurs = route !== undefined && config.problems !== undefined;
      if (isOurs && !request.accepts().type([...produces, problemMediaType])) {
        throw new Problem('not-acceptable', `This operation answers ${produces.join(' or ')}.`);
      }
    });

    app.removeAllContentTypeParsers();
    app.addContentTypeParser(jsonContentType, { parseAs: 'buffer' }, (_request, body, done) => {
      try {
        done(null, readJsonBody(body as Buffer));
      } catch (error) {
        done(error as Error);
      }
    });
  },
);

/**
 * Fastify ends a handler's time limit when the request closes, in order to stop at once for a caller
 * that has gone. But Node closes a request as soon as its body is read, so on a POST no limit held.
 * What shows that the caller has gone is a response that closes before it is complete.
 */
function keepTimeLimit({ raw }: FastifyRequest, reply: FastifyReply): void {
  for (const end of raw.listeners('close') as (() => void)[]) {
    raw.off('close', end);
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) end();
    });
  }
}
