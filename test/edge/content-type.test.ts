import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createBody, openWorld, type World } from '../world.ts';
import { expectProblem } from './expect-problem.ts';
import { request, talk } from './raw.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const send = (type: string, body: string) =>
  talk(world.port, request('POST /export-tasks', { 'Content-Type': type }, body));

test.each([
  'application/json',
  'Application/JSON',
  'application/json; charset=utf-8',
  'application/json;charset="UTF-8"',
  'application/json \t;\tcharset=utf-8 ',
  'application/json;',
])('accepts %s', async (type) => {
  const { answers } = await send(type, '{}');

  await expectProblem(world, answers[0], 'invalid-request');
});

test.each([
  'text/plain',
  'text/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/problem+json',
  'application/jsonx',
  'application/json, text/plain',
  'application/json; charset=utf-16',
  'application/json; charset=iso-8859-1',
  'application/json; charset=utf-8; a=b',
  'application/json; foo=bar',
  'application/ json',
  'json',
  ';application/json',
  '*/*',
  ' ',
])('rejects %j', async (type) => {
  const { answers } = await send(type, JSON.stringify(createBody));

  await expectProblem(world, answers[0], 'unsupported-media-type');
  expect(world.creates()).toHaveLength(0);
});

test('validates the body with every accepted Content-Type', async () => {
  const piece = fc.constantFrom(
    ...[
      'application',
      '/',
      'json',
      ';',
      ' ',
      '\t',
      ',',
      'charset',
      '=',
      'utf-8',
      '"',
      'text/plain',
    ],
    ...['+json', 'JSON', '*', '\\', 'a', '\x7f', '\xa0', '\xff'],
  );
  const mutated = fc.oneof(
    fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
    fc.array(piece, { maxLength: 4 }).map((pieces) => `application/json${pieces.join('')}`),
    fc.array(piece, { maxLength: 4 }).map((pieces) => `${pieces.join('')}application/json`),
  );
  const invalid = fc.constantFrom('{}', '[]', '{"from":"1"}', 'null', '');

  await fc.assert(
    fc.asyncProperty(mutated, invalid, async (type, body) => {
      const { answers } = await send(type, body);
      expect([400, 415]).toContain(answers[0]?.status);
    }),
    { numRuns: 500 },
  );
  expect(world.creates()).toHaveLength(0);
});
