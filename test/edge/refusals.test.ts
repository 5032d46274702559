import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { ProblemSlug } from '#problems/catalogue.ts';
import { createBody, openWorld, type World } from '../world.ts';
import { expectOneLine, expectProblem } from './expect-problem.ts';
import { request, talk } from './raw.ts';

const body = JSON.stringify(createBody);
const json = { 'Content-Type': 'application/json' };
const post = (headers: Record<string, string>, text = body) =>
  request('POST /export-tasks', { ...json, ...headers }, text);
const chunked = { ...json, 'Transfer-Encoding': 'chunked' };

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const refusals: [name: string, slug: ProblemSlug, bytes: string][] = [
  ['an unknown path', 'no-such-route', request('GET /nope')],
  ['a path in capitals', 'no-such-route', request('GET /Export-Tasks')],
  ['a path with a slash at its end', 'no-such-route', request('GET /export-tasks/x/cancel/')],
  ['a file Swagger UI does not have', 'no-such-route', request('GET /docs/static/nope.css')],
  ['a way out of the files', 'no-such-route', request('GET /docs/static/../../package.json')],
  [
    'an encoded way out of the files',
    'no-such-route',
    request('GET /docs/static/%2e%2e/%2e%2e/package.json'),
  ],
  ['NUL in the name of a file', 'no-such-route', request('GET /docs/static/%00')],
  [
    'an Accept that nothing fits',
    'not-acceptable',
    request('GET /targets', { Accept: 'text/csv' }),
  ],
  [
    'HTML where there is only JSON',
    'not-acceptable',
    request('GET /targets', { Accept: 'text/html, application/json;q=0' }),
  ],
  [
    'JSON where there is only YAML',
    'not-acceptable',
    request('GET /openapi.yaml', { Accept: 'application/json' }),
  ],
  ['a body of one byte too many', 'body-too-large', post({}, `"${'x'.repeat(65_535)}"`)],
  [
    'chunks of one byte too many',
    'body-too-large',
    `${request('POST /export-tasks', chunked)}10001\r\n${'x'.repeat(0x10001)}\r\n0\r\n\r\n`,
  ],
  [
    'chunk extensions without end',
    'body-too-large',
    `${request('POST /export-tasks', chunked)}2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
  ],
  ['a URL of one byte too many', 'url-too-long', request(`GET /targets?${'x'.repeat(4_088)}`)],
  ['a body without a type', 'unsupported-media-type', request('POST /export-tasks', {}, body)],
  ['a gzipped body', 'unsupported-media-type', post({ 'Content-Encoding': 'gzip' })],
  ['two content codings', 'unsupported-media-type', post({ 'Content-Encoding': 'identity, br' })],
  [
    'a gzipped transfer',
    'unsupported-media-type',
    `${request('POST /export-tasks', { ...json, 'Transfer-Encoding': 'gzip, chunked' })}2\r\n{}\r\n0\r\n\r\n`,
  ],
  ['QUERY', 'method-not-allowed', request('QUERY /targets')],
  ['an expectation', 'expectation-failed', request('GET /targets', { Expect: 'the-unexpected' })],
  ['one long header', 'headers-too-large', request('GET /targets', { X: 'x'.repeat(8_192) })],
  [
    'many short headers',
    'headers-too-large',
    request('GET /targets').replace('\r\n\r\n', `\r\n${'a:b\r\n'.repeat(1_600)}\r\n`),
  ],
];

test.each(refusals)('rejects %s: %s', async (_name, slug, bytes) => {
  const { answers } = await talk(world.port, bytes);

  expect(answers).toHaveLength(1);
  await expectProblem(world, answers[0], slug);
});

test('accepts a URL and a body just within the limits', async () => {
  const url = await talk(world.port, request(`GET /health/live?${'x'.repeat(4_083)}`));
  const text = await talk(world.port, post({}, `"${'x'.repeat(65_534)}"`));

  expect(url.answers[0]?.status).toBe(200);
  await expectProblem(world, text.answers[0], 'invalid-request');
});

describe('a method that is not allowed', () => {
  const get = 'GET, HEAD';
  test.each([
    ['DELETE', '/export-tasks', 'GET, HEAD, POST'],
    ['PUT', '/export-tasks/x', get],
    ['GET', '/export-tasks/x/cancel', 'POST'],
    ['POST', '/targets', get],
    ['PATCH', '/problems/export-slot-taken', get],
    ['OPTIONS', '/export-tasks?target=default', 'GET, HEAD, POST'],
    ['OPTIONS', '/openapi.json', get],
    ['PROPFIND', '/export-tasks', 'GET, HEAD, POST'],
    ['M-SEARCH', '/health/live', get],
    ['TRACE', '/health/ready', get],
    ['POST', '/docs', get],
    ['DELETE', '/docs/json', get],
    ['OPTIONS', '/docs/static/swagger-ui.css', get],
  ])('gets the allowed methods: %s %s', async (method, path, allow) => {
    const { answers } = await talk(world.port, request(`${method} ${path}`));

    await expectProblem(world, answers[0], 'method-not-allowed');
    expect(answers[0]?.headers.allow).toBe(allow);
    expect(JSON.parse(answers[0]?.text ?? '').detail).toBe(`This path allows ${allow}.`);
  });

  test('gets the allowed methods without a body for HEAD', async () => {
    const { answers } = await talk(world.port, request('HEAD /export-tasks/x/cancel'));

    expect(answers[0]).toMatchObject({ status: 405, headers: { allow: 'POST' }, text: '' });
    await expectOneLine(world, answers[0]?.headers['x-request-id']);
  });
});

test.each(['/docs/static/swagger-ui.css', '/docs/static/'])(
  'serves %s whole for any range or precondition',
  async (path) => {
    const conditions = { Range: 'bytes=99999999-', 'If-Match': '"x"' };

    const { answers } = await talk(world.port, request(`GET ${path}`, conditions));

    expect(answers[0]?.status).toBe(200);
  },
);
