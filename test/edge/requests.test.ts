import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createBody, openWorld, type World } from '../world.ts';
import { expectOneLine, expectProblem } from './expect-problem.ts';
import { request, talk } from './raw.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const post = (body: string) =>
  request('POST /export-tasks', { 'Content-Type': 'application/json' }, body);

test.each([
  '/export-tasks',
  '/targets',
  '/problems',
  '/problems/export-slot-taken',
  '/health/live',
  '/health/ready',
  '/openapi.json',
  '/openapi.yaml',
  '/docs',
  '/docs/static/swagger-ui.css',
])('returns the headers of GET and no body for HEAD %s', async (path) => {
  const get = await talk(world.port, request(`GET ${path}`));
  const head = await talk(world.port, request(`HEAD ${path}`));

  const [got, headed] = [get.answers[0], head.answers[0]];
  expect(headed).toMatchObject({ status: 200, text: '' });
  for (const name of ['content-type', 'content-length', 'cache-control']) {
    expect(headed?.headers[name], name).toBe(got?.headers[name]);
  }
  expect(got?.text.length).toBeGreaterThan(0);
  await expectOneLine(world, headed?.headers['x-request-id']);
});

test('answers pipelined requests once each, in order', async () => {
  const paths = Array.from({ length: 20 }, (_, index) =>
    index % 3 === 0 ? '/health/live' : index % 3 === 1 ? '/nope' : '/export-tasks?limit=0',
  );

  const { answers } = await talk(
    world.port,
    paths.map((path) => request(`GET ${path}`)).join(''),
    paths.length,
  );

  const statusOf: Record<string, number> = { '/health/live': 200, '/nope': 404 };
  expect(answers.map(({ status }) => status)).toEqual(paths.map((path) => statusOf[path] ?? 400));
  const ids = answers.map(({ headers }) => headers['x-request-id']);
  expect(new Set(ids).size).toBe(paths.length);
  for (const id of ids) await expectOneLine(world, id);
});

test('reads a body that is announced with 100-continue', async () => {
  const bytes = post('{}').replace('\r\n', '\r\nExpect: 100-continue\r\n');

  const { answers } = await talk(world.port, bytes);

  await expectProblem(world, answers[0], 'invalid-request');
});

describe('the request id of a caller', () => {
  test.each([
    ['is logged beside ours', 'trace-1', 'trace-1'],
    ['is cut to 256 characters', 'z'.repeat(400), 'z'.repeat(256)],
  ])('%s', async (_name, own, logged) => {
    const { answers } = await talk(world.port, request('GET /targets', { 'X-Request-Id': own }));

    const id = answers[0]?.headers['x-request-id'];
    expect(id).not.toBe(own);
    expect(await expectOneLine(world, id)).toMatchObject({ callerRequestId: logged });
  });
});

describe('poisoned bodies', () => {
  const poisons = [
    '{"__proto__":{"polluted":1}}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"a":{"__proto__":{"polluted":1}}}',
    '[{"__proto__":{"polluted":1}}]',
    '{"\\u005f_proto__":{"polluted":1}}',
    `{"from":12345678901234567890,"__proto__":{"polluted":1}}`,
  ];
  test.each(poisons)('%s is rejected', async (poison) => {
    const { answers } = await talk(world.port, post(poison));

    await expectProblem(world, answers[0], 'malformed-body');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test('members named like those of Object.prototype are rejected as unknown', async () => {
    const { answers } = await talk(
      world.port,
      post('{"constructor":1,"toString":2,"hasOwnProperty":3}'),
    );

    const line = await expectProblem(world, answers[0], 'invalid-request');
    expect(line.status).toBe(400);
    const pointers = JSON.parse(answers[0]?.text ?? '').errors.map(
      (violation: { pointer: string }) => violation.pointer,
    );
    expect(pointers).toEqual(
      expect.arrayContaining(['#/constructor', '#/toString', '#/hasOwnProperty']),
    );
  });
});

test('serves on, is not ready and keeps no connection while it is stopping', async () => {
  await using stopping = await openWorld();
  const before = await talk(stopping.port, request('GET /health/ready'));

  stopping.setStopping();
  const ready = await talk(stopping.port, request('GET /health/ready'));
  const created = await talk(
    stopping.port,
    request(
      'POST /export-tasks',
      { 'Content-Type': 'application/json' },
      JSON.stringify(createBody),
    ),
  );

  expect(before.answers[0]?.status).toBe(200);
  expect(before.answers[0]?.headers.connection).toBe('keep-alive');
  expect(ready).toMatchObject({ isClosed: true, answers: [{ headers: { connection: 'close' } }] });
  await expectProblem(stopping, ready.answers[0], 'not-ready');
  expect(created).toMatchObject({ isClosed: true, answers: [{ status: 201 }] });
});
