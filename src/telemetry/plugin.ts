import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';

import { longestLoggedText } from './logger.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The id AWS gave the answer this request was served from, for the log. */
    awsRequestId: string | undefined;
  }
}

/** Writes one log line for each request. */
export const telemetryPlugin: FastifyPluginAsync = fp(async (app: FastifyInstance) => {
  app.decorateRequest('awsRequestId', undefined);

  app.addHook('onRequest', (request, reply, done) => {
    // Whoever leaves before the end of the answer leaves no response to speak of, but a line.
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) writeLine(request, reply, { isAborted: true });
    });
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    writeLine(request, reply);
    done();
  });

  function writeLine(request: FastifyRequest, reply: FastifyReply, more?: object): void {
    const { problem } = request;
    const callerRequestId = request.headers['x-request-id'];
    const facts = {
      requestId: request.id,
      method: request.method,
      route: request.routeOptions.url ?? null, // the pattern: a path may hold what is not ours to keep
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 100) / 100,
      principal: request.principal?.id, // absent when refused before
      awsRequestId: problem?.members.awsRequestId ?? request.awsRequestId,
      awsErrorCode: problem?.members.awsErrorCode,
      problem: problem?.slug,
      // Of a refused caller: its cause is written here, and has nothing of what was sent.
      reason: problem?.slug === 'unauthenticated' ? toReason(problem.cause) : undefined,
      callerRequestId: String(callerRequestId ?? '').slice(0, longestLoggedText) || undefined,
      ...more,
    };
    // A probe that hears "not ready" is no defect, and probes ask every few seconds.
    const isExpected =
      reply.statusCode < 500 || problem?.slug === 'not-ready' || problem?.slug === 'overloaded';
    if (isExpected) app.log.info(facts, 'request');
    else app.log.error({ ...facts, err: problem?.cause }, 'request');
  }
});

function toReason(cause: unknown): string | undefined {
  return cause instanceof Error ? cause.message : undefined;
}
