import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { readHttpAnswer } from '#aws/creates/http-answer.ts';

const read = (text: string, isEnded = false) =>
  readHttpAnswer(Buffer.from(text, 'latin1'), isEnded);
const lines = (...parts: string[]) => parts.join('\r\n');
const summary = (text: string, isEnded = false) => {
  const received = read(text, isEnded);
  if (!received) return undefined;
  const { answer, isConnectionReusable } = received;
  return [answer.statusCode, answer.body.toString('latin1'), isConnectionReusable];
};

const complete: [what: string, text: string, expected: unknown[]][] = [
  ['a length', lines('HTTP/1.1 200 OK', 'content-length: 2', '', '{}'), [200, '{}', true]],
  ['no reason', lines('HTTP/1.1 200', 'Content-Length:2', '', '{}'), [200, '{}', true]],
  ['no body', lines('HTTP/1.1 400 Bad Request', 'Content-Length: 0', '', ''), [400, '', true]],
  ['status 204', lines('HTTP/1.1 204 No Content', '', ''), [204, '', true]],
  [
    'chunks',
    lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '1', '{', '1;x=y', '}', '0', '', ''),
    [200, '{}', true],
  ],
  [
    'chunks and a trailer',
    lines(
      'HTTP/1.1 200 OK',
      'transfer-encoding: Chunked',
      '',
      'a',
      '0123456789',
      '0',
      'A: b',
      '',
      '',
    ),
    [200, '0123456789', true],
  ],
  [
    'an interim answer before it',
    lines('HTTP/1.1 100 Continue', '', 'HTTP/1.1 200 OK', 'Content-Length: 1', '', 'x'),
    [200, 'x', true],
  ],
  [
    'Connection: close',
    lines('HTTP/1.1 200 OK', 'Connection: Close', 'Content-Length: 1', '', 'x'),
    [200, 'x', false],
  ],
  [
    'two Connection fields',
    lines('HTTP/1.1 200 OK', 'Connection: a', 'Connection: close', 'Content-Length: 0', '', ''),
    [200, '', false],
  ],
  [
    'a short idle time',
    lines('HTTP/1.1 200 OK', 'Keep-Alive: timeout=3, max=9', 'Content-Length: 0', '', ''),
    [200, '', false],
  ],
  [
    'a sufficient idle time',
    lines('HTTP/1.1 200 OK', 'Keep-Alive: timeout=30', 'Content-Length: 0', '', ''),
    [200, '', true],
  ],
  ['HTTP/1.0', lines('HTTP/1.0 200 OK', 'Content-Length: 1', '', 'x'), [200, 'x', false]],
];

describe('an answer', () => {
  test.each(complete)('with %s is read', (_what, text, expected) => {
    expect(summary(text)).toEqual(expected);
  });

  test.each(complete)('with %s is incomplete at each byte before its end', (_what, text) => {
    for (let length = 0; length < text.length; length += 1)
      expect(read(text.slice(0, length))).toBeUndefined();
  });

  test.each(complete)(
    'with %s and a byte more leaves its connection unusable',
    (_what, text, [status, body]) => {
      expect(summary(`${text}H`)).toEqual([status, body, false]);
    },
  );

  test('without a length ends with its connection', () => {
    const text = lines('HTTP/1.1 200 OK', 'Content-Type: text/html', '', 'page');

    expect([summary(text), summary(text, true)]).toEqual([undefined, [200, 'page', false]]);
  });

  test('keeps its headers, in lower case', () => {
    const text = lines('HTTP/1.1 200 OK', 'X-Amzn-RequestId:  id ', 'Content-Length: 0', '', '');

    expect(read(text)?.answer.headers).toEqual({ 'x-amzn-requestid': 'id', 'content-length': '0' });
  });

  test.each([
    ['a length that is no number', lines('HTTP/1.1 200 OK', 'Content-Length: +1', '', 'x')],
    ['two lengths', lines('HTTP/1.1 200 OK', 'Content-Length: 1', 'Content-Length: 2', '', 'xy')],
    [
      'a length and chunks',
      lines('HTTP/1.1 200 OK', 'Content-Length: 1', 'Transfer-Encoding: chunked', '', '0', '', ''),
    ],
    [
      'another coding',
      lines('HTTP/1.1 200 OK', 'Transfer-Encoding: gzip, chunked', '', '0', '', ''),
    ],
    ['a folded header', lines('HTTP/1.1 200 OK', 'A: b', ' c', 'Content-Length: 0', '', '')],
    ['a space before the colon', lines('HTTP/1.1 200 OK', 'Content-Length : 0', '', '')],
    ['a bare line feed', lines('HTTP/1.1 200 OK', 'A: b\nContent-Length: 0', '', '')],
    ['another protocol', lines('HTTP/2 200', '', '')],
    ['switched protocols', lines('HTTP/1.1 101 Switching Protocols', '', '')],
    ['a chunk without a size', lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '', '')],
    [
      'a chunk longer than its size',
      lines('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked', '', '1', 'xyz', ''),
    ],
    ['no end', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(300_000)}`],
  ])('with %s is invalid', (_what, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ name: 'InvalidAnswer' }));
  });

  test('of random bytes is incomplete or invalid, or has a status', () => {
    const pieces = fc.constantFrom(
      'HTTP/1.1 ',
      '200',
      '\r\n',
      '\n',
      ':',
      ' ',
      'Content-Length',
      '7',
      'Transfer-Encoding',
      'chunked',
      'x',
      '\0',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), fc.boolean(), (parts, isEnded) => {
        try {
          const received = read(parts.join(''), isEnded);
          if (received) expect(received.answer.statusCode).toBe(200);
        } catch (error) {
          expect(error).toMatchObject({ name: 'InvalidAnswer' });
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
