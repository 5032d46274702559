import type { ServerResponse } from 'node:http';

import { type Problem, problemMediaType, toProblemBody } from '#problems/problem.ts';

/** Writes a problem as a complete HTTP/1.1 answer, for connections without a request. */
export function toRawAnswer(problem: Problem, requestId: string, basePath: string): string {
  const body = JSON.stringify(toProblemBody(problem, requestId, basePath));
  const { status, title } = problem.kind;
  return [
    `HTTP/1.1 ${status} ${title}`,
    `Content-Type: ${problemMediaType}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

/** Answers a request that Node does not pass to Fastify. */
export function endWithProblem(
  response: ServerResponse,
  problem: Problem,
  requestId: string,
  basePath: string,
): void {
  const body = JSON.stringify(toProblemBody(problem, requestId, basePath));
  response.writeHead(problem.kind.status, {
    'content-type': problemMediaType,
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestId,
    connection: 'close',
  });
  response.end(body);
}
