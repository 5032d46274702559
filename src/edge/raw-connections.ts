import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import { problemsMet } from '#diagnostics/problems.ts';
import type { ProblemSlug } from '#problems/catalogue.ts';
import { inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import type { Log } from '#telemetry/log.ts';
import { endWithProblem, toRawAnswer } from './raw-answer.ts';

/** What answers without a Fastify request need. */
export interface RawConnectionsOptions {
  newId: () => string;
  /** The path prefix that a reverse proxy strips, such as /logs-gateway; empty if there is none. */
  basePath: string;
  log: Pick<Log, 'info' | 'error'>;
}

/** An error of a connection, as Node reports it; `errno` is present for network errors. */
type ConnectionError = Error & { code?: string; errno?: number };

/** The problem of each error code of Node's HTTP parser. */
const problemOfCode: Record<string, [ProblemSlug, string]> = {
  HPE_HEADER_OVERFLOW: [
    'headers-too-large',
    `Request line and headers have more than ${inDigits(statedLimits.headerBytes)} bytes.`,
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The request was not complete in time.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [
    'body-too-large',
    'The chunk extensions of the body are too large.',
  ],
};

/** The codes of Node's HTTP parser that no bytes of a client can cause: the parser or its user has a defect. */
const parserDefect = /^HPE_(?:CB_\w+|INTERNAL|JS_EXCEPTION|OK|PAUSED|PAUSED_UPGRADE|USER)$/;

/** Makes the handler of connections whose bytes are not a request. It answers and closes them. */
export function makeConnectionErrorHandler({ newId, basePath, log }: RawConnectionsOptions) {
  return (error: ConnectionError, socket: Socket & { _httpMessage?: ServerResponse }): void => {
    if (/^ERR_(?:SSL|TLS)_/.test(error.code ?? '')) {
      log.info({ code: error.code }, 'TLS handshake failed');
      socket.destroy();
      return;
    }
    const isAnswering = socket._httpMessage?.headersSent ?? false;
    if (
      error.errno !== undefined ||
      error.code === 'ECONNRESET' ||
      !socket.writable ||
      isAnswering
    ) {
      socket.destroy();
      return;
    }
    const problem = problemOf(error);
    const requestId = newId();
    logRefusal(log, requestId, problem, { code: error.code });
    // Destroying a socket while the peer still sends could discard the answer.
    socket.end(toRawAnswer(problem, requestId, basePath), () => socket.destroy());
  };
}

function problemOf(cause: ConnectionError): Problem {
  const { code = '' } = cause;
  const known = problemOfCode[code];
  if (known) return new Problem(...known);
  if (code.startsWith('HPE_') && !parserDefect.test(code)) {
    return new Problem('malformed-request', 'The bytes received are not HTTP/1.1.');
  }
  return new Problem(
    'internal-error',
    'The service failed on this connection because of a defect.',
    { cause },
  );
}

/** Answers requests that Node does not pass to Fastify, if `admitted` permits. Node would answer them without a body. */
export function refuseBeforeRouting(
  server: Server,
  options: RawConnectionsOptions,
  admitted: (listener: RequestListener) => RequestListener,
): void {
  const { newId, basePath, log } = options;
  // By default, Node requests the body before the caller is authenticated.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response);
  });
  const refuseExpectation = admitted(({ method }, response) => {
    const problem = new Problem(
      'expectation-failed',
      'The Expect header has a value other than 100-continue.',
    );
    const requestId = newId();
    logRefusal(log, requestId, problem, { method });
    endWithProblem(response, problem, requestId, basePath);
  });
  server.on('checkExpectation', refuseExpectation);
  server.on('connect', ({ method }: IncomingMessage, socket: Socket) => {
    const problem = new Problem(
      'malformed-request',
      'This service is not a proxy: it does not support CONNECT.',
    );
    const requestId = newId();
    logRefusal(log, requestId, problem, { method });
    socket.on('error', () => {}); // the peer may be gone
    socket.end(toRawAnswer(problem, requestId, basePath), () => socket.destroy());
  });
}

/** Writes the one log line of a request that no hook sees, and publishes its problem. */
export function logRefusal(
  log: RawConnectionsOptions['log'],
  requestId: string,
  problem: Problem,
  facts: object,
): void {
  const { kind, slug } = problem;
  const line = { requestId, route: null, status: kind.status, problem: slug, ...facts };
  problemsMet.publish({ slug });
  if (kind.status < 500) log.info(line, 'request');
  else log.error({ ...line, err: problem.members.cause }, 'request');
}
