import accepts from '@fastify/accepts';
import { Type } from '@sinclair/typebox';
import type {
  FastifyError,
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
  onSendHookHandler,
} from 'fastify';
import fp from 'fastify-plugin';
import { anonymous } from '#auth/principal.ts';
import { inDigits } from '#problems/limits.ts';
import { answerProblem, timeoutOf, toProblem } from '#problems/plugin.ts';
import { Problem, problemMediaType } from '#problems/problem.ts';
import { jsonContentType, readJsonBody } from '#validation/json/json-body.ts';
import { makeBodyBudgets } from './body-budget.ts';
import { isPreflight, makeCors } from './browsers/cors.ts';
import { isCrossSiteChange } from './browsers/cross-site.ts';
import { makeHostCheck } from './browsers/hosts.ts';
import type { Connections } from './connections.ts';
import type { EdgeLimits } from './limits.ts';
import { logRefusal, type RawConnectionsOptions } from './raw-connections.ts';
import { bytesOf, type ExpectedBody, expectBody, freeBody, readBody } from './read-body.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The path prefix that a reverse proxy stripped; references in the answer begin with it. */
    basePath: string;
    /** Reads the body, within its budget; undefined if there is none. */
    readBody: () => Promise<Buffer<ArrayBuffer> | undefined>;
  }
}

/** What the edge depends on. */
export interface EdgeOptions extends Pick<RawConnectionsOptions, 'basePath'> {
  limits: EdgeLimits;
  /** Whether the process is stopping: then no connection is kept. */
  isStopping: () => boolean;
  connections: Connections;
  /** The names the Host header may have; any when undefined. */
  allowedHosts: readonly string[] | undefined;
  /** The origins whose scripts may call the service. */
  corsOrigins: readonly string[];
}

/** Refuses invalid HTTP requests before any operation, and adds headers to every answer. */
export const edgePlugin: FastifyPluginAsync<EdgeOptions> = fp(
  async (app: FastifyInstance, options: EdgeOptions) => {
    const { limits, basePath, isStopping, connections } = options;
    app.decorateRequest('basePath', basePath);
    app.decorateRequest('readBody', async () => undefined);
    await app.register(accepts);
    const isHostAllowed = makeHostCheck(options.allowedHosts);
    const cors = makeCors(options.corsOrigins);

    app.addHook('onRequest', (request, reply, done) => {
      addCommonHeaders(request, reply);
      connections.begin(reply.raw, () => answerEarly(request, reply));
      const { method, headers } = request;
      reply.headers(cors.headersFor(headers.origin));
      const problem = refusalOf(request, limits) ?? refuseHost(request) ?? refuseOrigin(request);
      if (problem || !isPreflight(method, headers)) return done(problem);
      const allowed = cors.preflightHeadersFor(headers.origin);
      if (!allowed) return done(originNotAllowed());
      reply.code(204).headers(allowed).send();
    });

    function refuseHost({ headers, routeOptions }: FastifyRequest): Problem | undefined {
      if (isHostAllowed(headers.host, routeOptions.url)) return undefined;
      return new Problem('host-not-allowed', 'The name in the Host header is not allowed.');
    }

    function refuseOrigin({ method, headers }: FastifyRequest): Problem | undefined {
      const isRefused = isCrossSiteChange(method, headers) && !cors.isAllowed(headers.origin);
      return isRefused ? originNotAllowed() : undefined;
    }

    // Decided at the answer: the request may have arrived before the stop.
    app.addHook('onSend', (_request, reply, _payload, done) => {
      if (isStopping() || connections.isEnding()) reply.header('connection', 'close');
      done();
    });

    app.addHook('preClose', (done) => {
      connections.end();
      done();
    });

    // An operation ignores no parameter: a caller would take a real change for a dry run.
    app.addHook('onRoute', ({ schema, config }) => {
      if (schema?.operationId !== undefined && config?.action !== undefined)
        schema.querystring ??= noParameters;
    });

    // Fastify gives HEAD the length of the payload, which an answer without content must not have.
    app.addHook('onRoute', (route) => {
      if (route.method === 'HEAD') route.onSend = [route.onSend ?? [], dropLength].flat();
    });

    const { takeBytes, takeSignedBytes, takePublicBytes } = makeBodyBudgets(limits);
    // After all onRequest hooks: the caller is authenticated and within its rate limit, or claims to be one.
    app.addHook('preParsing', (request, reply, _payload, done) => {
      const { method, raw, principal, routeOptions } = request;
      const mayHaveBody = changingMethods.has(method);
      const expected = mayHaveBody ? expectBody(raw, routeOptions.bodyLimit) : undefined;
      if (expected && !reply.raw.closed) {
        const bytes = bytesOf(expected);
        const takeEarly = earlyBudgetOf(request);
        if (!takeEarly) {
          const callerId = principal === anonymous ? undefined : principal.id;
          // The parsed body takes memory until the answer.
          reply.raw.once('close', takeBytes(callerId, bytes));
        }
        request.readBody = () =>
          takeEarly ? readEarly(reply, expected, takeEarly) : readBody(raw, expected);
        if (raw.headers.expect !== undefined && raw.httpVersion === '1.1')
          reply.raw.writeContinue();
      }
      done();
    });

    /** Returns the budget of a body that arrives before its sender is authenticated; otherwise undefined. */
    function earlyBudgetOf({ raw, signed, routeOptions }: FastifyRequest): TakeBytes | undefined {
      if (signed) return (bytes) => takeSignedBytes(signed.claimedCallerId, bytes);
      if (routeOptions.config.action !== undefined) return undefined;
      const { remoteAddress } = raw.socket;
      return (bytes) => takePublicBytes(remoteAddress, bytes);
    }

    // Reserves what has arrived: anyone can announce a large body in the name of somebody, and not send it.
    async function readEarly(reply: FastifyReply, expected: ExpectedBody, take: TakeBytes) {
      const { freeBodyBytes: freeBytes, earlyBodyMs } = limits;
      let release = () => {};
      reply.raw.once('close', () => release());
      const late = new Problem('request-timeout', 'The body did not arrive in time.');
      const timeout = Promise.withResolvers<never>();
      const timer = setTimeout(() => {
        reply.header('connection', 'close'); // the rest of the body is not read
        timeout.reject(late);
      }, earlyBodyMs);
      const reserve = (bytes: number) => {
        if (reply.raw.closed) throw late; // nothing would release it
        release();
        release = () => {};
        release = take(bytes - freeBytes);
      };
      try {
        const body = readBody(reply.request.raw, expected, { freeBytes, reserve });
        return await Promise.race([body, timeout.promise]);
      } finally {
        clearTimeout(timer);
      }
    }

    app.removeAllContentTypeParsers();
    app.addContentTypeParser(jsonContentType, async (request: FastifyRequest) => {
      const bytes = await request.readBody();
      if (!bytes) return undefined;
      try {
        return readJsonBody(bytes);
      } finally {
        freeBody(bytes);
      }
    });
  },
);

/** Reserves bytes, and returns a function that releases them. */
type TakeBytes = (bytes: number) => () => void;

const noParameters = Type.Object({}, { additionalProperties: false });

const changingMethods = new Set(['POST', 'PATCH', 'DELETE']);

const originNotAllowed = () =>
  new Problem('origin-not-allowed', 'CORS_ORIGINS does not include the origin of this request.');

const dropLength: onSendHookHandler = (_request, reply, payload, done) => {
  if (reply.statusCode === 204 || reply.statusCode === 304) reply.removeHeader('content-length');
  done(null, payload);
};

/** Answers a request that delays the close. */
function answerEarly(request: FastifyRequest, reply: FastifyReply): void {
  if (reply.sent) return; // a stream, or an answer that the caller does not read
  const detail = 'The service stopped before the request was complete.';
  void reply.send(new Problem(timeoutOf(request), detail));
}

/** The problem of a request that is refused before its body is read; otherwise `undefined`. */
function refusalOf(request: FastifyRequest, limits: EdgeLimits): Problem | undefined {
  const { headers, raw } = request;
  const { url = '' } = raw;
  if (url.length > limits.urlBytes) {
    const detail = `The URL has ${inDigits(url.length)} bytes. The limit is ${inDigits(limits.urlBytes)}.`;
    return new Problem('url-too-long', detail);
  }
  if (!url.startsWith('/')) {
    // Parsers disagree on "GET http://host/path" and "OPTIONS *", which are forms for proxies.
    const detail = 'The request target must be a path that begins with "/".';
    return new Problem('malformed-request', detail);
  }
  const hosts = countHosts(raw.rawHeaders);
  if (hosts > 1 || (hosts === 0 && raw.httpVersion === '1.1')) {
    const detail = `The request must have one Host header, but has ${hosts}.`;
    return new Problem('malformed-request', detail);
  }
  const { 'content-encoding': coding = 'identity', 'transfer-encoding': transfer = 'chunked' } =
    headers;
  if (coding !== 'identity' || transfer.toLowerCase() !== 'chunked') {
    return new Problem('unsupported-media-type', 'The body has a content coding such as gzip.');
  }
  const { accept } = headers;
  const { config, url: route } = request.routeOptions;
  const produces = config.produces ?? ['application/json'];
  if (accept === undefined || accept === '*/*' || produces.includes(accept)) return undefined;
  const isOurs = route !== undefined && config.problems !== undefined;
  if (isOurs && !request.accepts().type([...produces, problemMediaType])) {
    return new Problem('not-acceptable', `This operation answers with ${produces.join(' or ')}.`);
  }
  return undefined;
}

/** Makes the handler for paths that the router cannot decode: no hook runs for such a request. */
export function makeRoutingErrorHandler({ basePath, log }: Omit<RawConnectionsOptions, 'newId'>) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = toProblem(error, request);
    request.basePath = basePath; // the decorator has not run
    addCommonHeaders(request, reply);
    logRefusal(log, request.id, problem, { method: request.method });
    answerProblem(problem, request, reply);
  };
}

function addCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('x-request-id', request.id);
  reply.header('x-content-type-options', 'nosniff');
  reply.header('cache-control', 'no-store');
}

// Node keeps the first of several Host headers; a proxy may have used the last.
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() === 'host') count += 1;
  }
  return count;
}
