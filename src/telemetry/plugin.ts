import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Logger } from 'pino';

import { httpRequests, requestStarts, type StartedRequest } from '#diagnostics/http-requests.ts';
import { problemsMet } from '#diagnostics/problems.ts';
import type { SpanIds } from './active-span.ts';
import { maxLoggedTextLength } from './logger.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether orchestrators call the operation every few seconds. Then success is logged at `debug` only. */
    isProbe?: boolean;
  }
  interface FastifyRequest {
    /** The request id of AWS for the answer that served this request, for the log. */
    awsRequestId: string | undefined;
    /** The code of the error that was answered to an AWS client, for the log. */
    errorCode: string | undefined;
    /** The message of its start, for those who listen. */
    start: StartedRequest;
  }
}

/** Where requests are logged. */
export interface TelemetryOptions {
  log: Pick<Logger, 'debug' | 'info' | 'error' | 'isLevelEnabled'>;
}

/**
 * Writes one log line for each request except successful probes, and publishes its start and its end. It is
 * registered first, so that a request that another hook refuses has a start, too.
 */
export const telemetryPlugin: FastifyPluginAsync<TelemetryOptions> = fp(
  async (app: FastifyInstance, { log }: TelemetryOptions) => {
    app.decorateRequest('awsRequestId', undefined);
    app.decorateRequest('errorCode', undefined);
    app.decorateRequest('start');

    app.addHook('onRequest', (request, reply, done) => {
      // An aborted request has no onResponse hook, but needs a line.
      reply.raw.once('close', () => {
        if (reply.raw.writableFinished) return;
        writeLine(request, reply, { isAborted: true });
        publishEnd(request, reply, reply.raw.headersSent ? reply.statusCode : undefined);
      });
      request.start = startOf(request);
      requestStarts.run(request.start, done);
    });
    app.addHook('onResponse', (request, reply, done) => {
      writeLine(request, reply);
      publishEnd(request, reply, reply.statusCode);
      done();
    });

    function writeLine(request: FastifyRequest, reply: FastifyReply, more?: object): void {
      const { problem } = request;
      const isRoutine = request.routeOptions.config.isProbe && !problem && !more;
      if (isRoutine && !log.isLevelEnabled('debug')) return;
      const callerRequestId = request.headers['x-request-id'];
      const facts = {
        requestId: request.id,
        ...idsOf(request.start),
        method: request.method,
        route: request.routeOptions.url ?? null, // the pattern: a path may contain personal data
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime * 100) / 100,
        principal: request.principal?.id, // absent if refused before authentication
        awsRequestId: problem?.members.awsRequestId ?? request.awsRequestId,
        awsErrorCode: problem?.members.awsErrorCode,
        errorCode: request.errorCode,
        problem: problem?.slug,
        // The cause of a 401, which contains nothing of the credential.
        reason: problem?.slug === 'unauthenticated' ? toReason(problem.cause) : undefined,
        callerRequestId: String(callerRequestId ?? '').slice(0, maxLoggedTextLength) || undefined,
        ...more,
      };
      const isExpected = reply.statusCode < 500 || (problem && noDefects.has(problem.slug));
      if (isRoutine) log.debug(facts, 'request');
      else if (isExpected) log.info(facts, 'request');
      else log.error({ ...facts, err: problem?.cause }, 'request');
    }
  },
);

// Probes get "not ready" every few seconds. AWS clients get 503 if they do not send their body in time.
const noDefects = new Set<string>(['not-ready', 'overloaded', 'request-timeout']);

// The methods of RFC 9110 and PATCH, as in OpenTelemetry's conventions. A caller may send any other word.
const knownMethods = new Set('CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE'.split(' '));

function startOf({ method, routeOptions, protocol, headers }: FastifyRequest): StartedRequest {
  const { traceparent: parent, tracestate: state } = headers;
  const callerTrace = { parent: parent?.toString(), state: state?.toString() };
  return {
    method: knownMethods.has(method) ? method : '_OTHER',
    route: routeOptions.url,
    scheme: protocol,
    callerTrace,
  };
}

function publishEnd(
  { start, problem }: FastifyRequest,
  { elapsedTime }: FastifyReply,
  status: number | undefined,
): void {
  httpRequests.publish({ start, status, durationMs: elapsedTime, problem: problem?.slug });
  if (problem) problemsMet.publish({ slug: problem.slug });
}

/** The ids of the span of a request; none without traces. */
function idsOf({ traceParent }: StartedRequest): Partial<SpanIds> {
  const [, traceId, spanId] = traceParent?.split('-') ?? [];
  return { ...(traceId && spanId && { traceId, spanId }) };
}

function toReason(cause: unknown): string | undefined {
  return cause instanceof Error ? cause.message : undefined;
}
