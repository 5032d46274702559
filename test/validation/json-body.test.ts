import { expect, test } from 'vitest';

import { readJsonBody } from '#validation/json/json-body.ts';

const mebibyte = 1_048_576;
const read = (text: string) => readJsonBody(Buffer.from(text));
const filled = (piece: string, end = '') => piece.repeat(Math.floor(mebibyte / piece.length)) + end;

test.each([
  ['90,000 members', `{${Array.from({ length: 90_000 }, (_, n) => `"m${n}":1`).join()}}`],
  ['the same member again and again', `{${filled('"a":1,', '"a":1')}}`],
  ['numbers', `[${filled('1.5,', '1')}]`],
  ['numbers of 17 digits', `[${filled('12345678901234567,', '1')}]`],
  ['texts', `[${filled('"a",', '"a"')}]`],
  ['empty objects', `[${filled('{},', '{}')}]`],
  ['empty arrays side by side', filled('[]')],
  ['commas alone', filled(',')],
])('rejects 1 MiB of %s before it is parsed', (_name, text) => {
  expect(() => read(text)).toThrow(/body-too-large: The body has more than 4,096 members/);
});

test.each([
  ['arrays', '[', ']'],
  ['objects', '{"a":', '}'],
  ['arrays in objects', '{"a":[', ']}'],
])('rejects endlessly nested %s, closed or not', (_name, open, close) => {
  const many = Math.floor(mebibyte / 8);

  expect(() => read(filled(open))).toThrow(/body-too-large/);
  expect(() => read(`${open.repeat(many)}1${close.repeat(many)}`)).toThrow(/16 levels of nesting/);
});

test('accepts a body just within the limits', () => {
  const depth = 16;

  expect(read(`[${'1,'.repeat(4_095)}1]`)).toHaveLength(4_096);
  expect(() => read(`[${'1,'.repeat(4_096)}1]`)).toThrow(/body-too-large/);
  expect(read(`${'['.repeat(depth)}${']'.repeat(depth)}`)).toEqual(expect.any(Array));
  expect(() => read('['.repeat(depth + 1))).toThrow(/body-too-large/);
});

test('ignores structure characters inside texts', () => {
  const text = '[{,"\\'.repeat(10_000);

  expect(read(JSON.stringify({ name: text, [text]: 1 }))).toEqual({ name: text, [text]: 1 });
});

test.each(['"', '"\\', '"\\"', '{"a', `"${'\\'.repeat(mebibyte - 1)}`])(
  'rejects an unterminated text: %#',
  (text) => {
    expect(() => read(text)).toThrow(/malformed-body/);
  },
);

test.each([
  ['digits', '9'.repeat(mebibyte), Number.POSITIVE_INFINITY],
  ['digits after a minus', `-${'9'.repeat(mebibyte)}`, Number.POSITIVE_INFINITY],
  ['digits after a point', `1.${'9'.repeat(mebibyte)}`, Number.NaN],
  ['22 digits', '9'.repeat(22), Number.POSITIVE_INFINITY],
  ['20 digits', `-${'9'.repeat(20)}`, 1n - 10n ** 20n],
])('reads a number of %s with bounded work', (_name, token, value) => {
  expect(read(`{"from":${token}}`)).toEqual({ from: value });
});
