import { afterAll, beforeAll, expect, test } from 'vitest';

import { openWorld, type World } from '../world.ts';
import { expectProblem } from './expect-problem.ts';
import { request, talk } from './raw.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const live = 'GET /health/live HTTP/1.1\r\n';
const post = 'POST /export-tasks HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n';
const second = request('GET /health/live');

test.each([
  ['lines that end in LF alone', 'GET /health/live HTTP/1.1\nHost: gateway\n\n'],
  ['a folded header', `${live}Host: gateway\r\nX: a\r\n b\r\n\r\n`],
  ['a space before the colon of a header', `${live}Host : gateway\r\n\r\n`],
  ['NUL in a header', `${live}Host: gateway\r\nX: a\0b\r\n\r\n`],
  ['CR in a header', `${live}Host: gateway\r\nX: a\rb\r\n\r\n`],
  ['a header without a name', `${live}Host: gateway\r\n: a\r\n\r\n`],
  [
    'Content-Length beside Transfer-Encoding',
    `${post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['two lengths', `${post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
  ['a negative length', `${post}Content-Length: -1\r\n\r\n`],
  ['a length with a plus', `${post}Content-Length: +2\r\n\r\n{}`],
  ['a length in hexadecimal', `${post}Content-Length: 0x2\r\n\r\n{}`],
  [
    'a transfer that does not end in chunked',
    `${post}Transfer-Encoding: chunked, gzip\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
  ],
  ['a chunk of no size', `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`],
  ['a chunk longer than it says', `${post}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n`],
  ['a method in small letters', 'get /health/live HTTP/1.1\r\nHost: gateway\r\n\r\n'],
  ['bytes above ASCII in the path', 'GET /export-tasks/\xff HTTP/1.1\r\nHost: gateway\r\n\r\n'],
  ['a version of the future', 'GET /health/live HTTP/9.9\r\nHost: gateway\r\n\r\n'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['CONNECT', 'CONNECT gateway:80 HTTP/1.1\r\nHost: gateway:80\r\n\r\n'],
])('answers %s, closes the connection and reads nothing more', async (_name, bytes) => {
  const { answers, isClosed } = await talk(world.port, bytes + second, 2);

  expect(answers).toHaveLength(1);
  expect(answers[0]?.headers.connection).toBe('close');
  expect(isClosed).toBe(true);
  await expectProblem(world, answers[0], 'malformed-request');
});

test.each([
  ['no host', `${live}\r\n`],
  ['two hosts', `${live}Host: a\r\nhost: b\r\n\r\n`],
  ['a whole URL for a path', request('GET http://gateway/health/live')],
  ['* for a path', request('OPTIONS *')],
  ['a broken percent-encoding', request('GET /export-tasks/%zz')],
  ['a percent-encoding that is not UTF-8', request('GET /problems/%ff')],
])('rejects %s and keeps the connection', async (_name, bytes) => {
  const { answers } = await talk(world.port, bytes + second, 2);

  expect(answers.map(({ status }) => status)).toEqual([400, 200]);
  await expectProblem(world, answers[0], 'malformed-request');
});

test('creates nothing when the connection ends before the whole body', async () => {
  const answered = await talk(
    world.port,
    request(
      'POST /export-tasks',
      { 'Content-Type': 'application/json', 'Content-Length': '4' },
      '{}',
    ) + request('GET /health/live'),
    2,
  );

  expect(answered.answers[0]?.status).toBe(400);
  expect(world.creates()).toHaveLength(0);
});
