import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { ProblemSlug } from '#problems/catalogue.ts';
import { Problem } from '#problems/problem.ts';
import { endWithProblem, toRawAnswer } from './raw-answer.ts';

/** What is needed to answer where there is no Fastify request. */
export interface RawConnectionsOptions {
  newId: () => string;
  log: { info(facts: object, text: string): void };
}

/** An error of a connection, as Node reports it. */
type ConnectionError = Error & { code?: string };

/** Node's error codes for what could not become a request; any other is malformed HTTP. */
const problemOfCode: Record<string, [ProblemSlug, string]> = {
  HPE_HEADER_OVERFLOW: [
    'headers-too-large',
    'Request line and headers have more than 8,192 bytes.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The request was not complete in time.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['body-too-large', 'The extensions of a chunk are too large.'],
};

/** Makes the answer to a connection whose bytes did not become a request. It is closed afterwards. */
export function makeConnectionErrorHandler({ newId, log }: RawConnectionsOptions) {
  return (error: ConnectionError, socket: Socket & { _httpMessage?: ServerResponse }): void => {
    const isAnswering = socket._httpMessage?.headersSent ?? false;
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
      socket.destroy();
      return;
    }
    const [slug, detail] = problemOfCode[error.code ?? ''] ?? [
      'malformed-request',
      'What was received is not HTTP/1.1.',
    ];
    const problem = new Problem(slug, detail);
    const requestId = newId();
    log.info(
      { requestId, route: null, status: problem.kind.status, problem: slug, code: error.code },
      'request',
    );
    // The peer may still be sending; destroying at once could discard the answer with its bytes.
    socket.end(toRawAnswer(problem, requestId), () => socket.destroy());
  };
}

/** Answers 417 to an Expect that is not 100-continue; Node itself would answer without a body. */
export function refuseExpectations(server: Server, { newId, log }: RawConnectionsOptions): void {
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const problem = new Problem('expectation-failed', 'Only 100-continue can be expected here.');
    const requestId = newId();
    log.info({ requestId, route: null, status: 417, problem: problem.slug }, 'request');
    endWithProblem(response, problem, requestId);
  });
}
