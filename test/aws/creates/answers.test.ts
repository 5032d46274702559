import type { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';

import { openLogs } from '../open-logs.ts';
import { answerText, openClosingAws } from './closing-aws.ts';

const order = { logGroupName: '/app', from: 0n, to: 1n, destination: 'archive' };
const body = '{"taskId":"of-the-test"}';
const lines = (...parts: string[]) => parts.join('\r\n');
const chunked = (size: string, ...more: string[]) =>
  lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', size, body, '0', ...more, '', '');
const size = body.length.toString(16);

/** Sends two creates to an AWS that answers each with a text. Returns their outcomes. */
async function createTwice(text: string) {
  await using aws = await openClosingAws('FIN');
  using logs = openLogs();
  aws.respond = (socket: Socket) => void socket.write(text, 'latin1');
  const outcomes = [await logs.createExportTask(order), await logs.createExportTask(order)];
  return { outcomes: outcomes.map(({ outcome }) => outcome), connections: aws.connections() };
}

test.each([
  ['a length', answerText()],
  ['no reason', answerText().replace('200 OK', '200')],
  ['chunks', chunked(size)],
  ['a chunk extension', chunked(`${size};x=y`)],
  ['a trailer', chunked(size, 'A: b')],
  ['an interim answer before it', `HTTP/1.1 100 Continue\r\n\r\n${answerText()}`],
  ['a sufficient Keep-Alive time', answerText(body, 'Keep-Alive: timeout=30\r\n')],
])('an answer with %s is read, and leaves its connection usable', async (_what, text) => {
  expect(await createTwice(text)).toEqual({ outcomes: ['accepted', 'accepted'], connections: 1 });
});

describe('a create is unknown after an answer', () => {
  test.each([
    ['with a length that is no number', answerText().replace(/(?<=Length: )/, '+')],
    ['with two lengths', answerText(body, 'Content-Length: 1\r\n')],
    ['with a length and chunks', answerText(body, 'Transfer-Encoding: chunked\r\n')],
    ['with a space before a colon', answerText(body, 'A : b\r\n')],
    ['with a bare line feed', answerText(body, 'A: b\nB: c\r\n')],
    ['of another protocol', answerText().replace('HTTP/1.1', 'HTTP/2')],
    ['that switches protocols', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    [
      'that switches to a named protocol',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n',
    ],
    ['with a chunk without a size', chunked('')],
    ['with a chunk longer than its size', chunked('1')],
    ['with a header that is too long', answerText(body, `A: ${'b'.repeat(300_000)}\r\n`)],
    ['with a body that is too long', answerText(body + ' '.repeat(300_000))],
  ])('%s, and its connection is not used again', async (_what, text) => {
    expect(await createTwice(text)).toEqual({ outcomes: ['unknown', 'unknown'], connections: 2 });
  });
});

test('a create with a line break in a header is not sent', async () => {
  await using aws = await openClosingAws('FIN');
  process.env.AWS_SESSION_TOKEN = 'a\r\nb: c';
  using logs = openLogs();

  expect((await logs.createExportTask(order)).outcome).toBe('not-sent');
  expect(aws.received.size).toBe(0);
});
