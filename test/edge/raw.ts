import { connect, type Socket } from 'node:net';
import { expect } from 'vitest';

import { catalogue, type ProblemSlug } from '#problems/catalogue.ts';
import type { LogLine, World } from '../world.ts';

/** An answer as its bytes say it. Header names are in lower case. */
export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** What came back on a connection, and whether the server ended it. */
export interface Talk {
  answers: RawAnswer[];
  isClosed: boolean;
}

/** Opens a connection to a world; what is thrown at it later is of no interest. */
export function dial(port: number): Socket {
  return connect({ port, host: '127.0.0.1' })
    .setNoDelay()
    .on('error', () => {});
}

/**
 * Sends bytes (text as latin1) and reads that many answers. If the last one says that the
 * connection closes, waits until it has.
 */
export async function talk(port: number, bytes: string, expected = 1): Promise<Talk> {
  const socket = dial(port);
  socket.write(bytes, 'latin1');
  const answered = await listen(socket, bytes, expected);
  socket.destroy();
  return answered;
}

/** Reads that many answers to what was sent, as `talk` does. */
export function listen(socket: Socket, sent: string, expected = 1): Promise<Talk> {
  const methods = sent.split(/\r?\n\r?\n/).map((request) => request.split(' ', 1)[0] ?? '');
  let received = '';
  return new Promise((resolve) => {
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      received += text;
      const answers = readAnswers(received, methods);
      const isLast = answers.length >= expected;
      if (isLast && answers.at(-1)?.headers.connection !== 'close') {
        resolve({ answers, isClosed: false });
      }
    });
    socket.on('close', () => resolve({ answers: readAnswers(received, methods), isClosed: true }));
  });
}

function readAnswers(received: string, methods: string[]): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = Buffer.from(received);
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return answers;
    const [statusLine = '', ...lines] = rest.subarray(0, end).toString().split('\r\n');
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    const status = Number(statusLine.split(' ')[1]);
    if (status < 200) {
      rest = rest.subarray(end + 4); // 100 Continue goes before the answer
      continue;
    }
    const isBodiless = methods[answers.length] === 'HEAD';
    const length = isBodiless ? 0 : Number(headers['content-length'] ?? 0);
    const body = rest.subarray(end + 4, end + 4 + length);
    if (body.length < length) return answers;
    answers.push({ status, headers, text: body.toString() });
    rest = rest.subarray(end + 4 + length);
  }
}

/** A request as text: its request line, its headers, its body. */
export function request(line: string, headers: Record<string, string> = {}, body = ''): string {
  const all = {
    Host: 'gateway',
    ...(body && { 'Content-Length': String(body.length) }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

const inside =
  /arn:aws|\.[jt]s:\d|node_modules|\bat async\b|AKIDTEST|secret-of-the-test|FST_ERR|HPE_/;

/** Asserts that an answer is that problem, whole, its type explained here, logged in exactly one line. */
export async function expectProblem(
  world: World,
  answer: RawAnswer | undefined,
  slug: ProblemSlug,
): Promise<LogLine> {
  const { status, retryAfterSeconds } = { retryAfterSeconds: undefined, ...catalogue[slug] };
  expect(answer).toMatchObject({
    status,
    headers: {
      'content-type': expect.stringMatching(/^application\/problem\+json(?:; charset=utf-8)?$/),
      'x-request-id': expect.stringMatching(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/),
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    },
  });
  const requestId = answer?.headers['x-request-id'];
  const problem = JSON.parse(answer?.text ?? '');
  expect(problem).toMatchObject({
    type: `/problems/${slug}`,
    status,
    title: catalogue[slug].title,
    detail: expect.stringMatching(/\S/),
    instance: `urn:uuid:${requestId}`,
  });
  expect(answer?.text).not.toMatch(inside);
  expect((await world.call('GET', problem.type)).body.slug).toBe(slug);
  return expectOneLine(world, requestId);
}

/** Asserts that a request has exactly one line in the log, and returns it. */
export async function expectOneLine(world: World, requestId: string | undefined): Promise<LogLine> {
  const lines = () => world.log.filter((line) => line.requestId === requestId);
  await expect.poll(lines, { interval: 2 }).toHaveLength(1);
  return lines()[0] ?? {};
}
