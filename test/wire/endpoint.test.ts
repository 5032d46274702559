import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openToAll } from '#auth/access.ts';
import { makeUnverifiedSignatures } from '#auth/authentication/signature/signatures.ts';
import { anonymous } from '#auth/principal.ts';
import { type Answer, openWorld, type World } from '../world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld({
    jobs: {},
    access: () => ({ ...openToAll, signatures: makeUnverifiedSignatures(anonymous) }),
  });
});
afterAll(() => world[Symbol.asyncDispose]());

const wireType = 'application/x-amz-json-1.1';
const paths = ['/', '/aws/default', '/aws/default/', '/aws/default//', '/aws/nope'];
const ofOperation = (operation: string, type = wireType) => ({
  'content-type': type,
  'x-amz-target': `Logs_20140328.${operation}`,
});

function expectWireAnswer({ status, headers, text }: Answer, expected: [number, object]): void {
  expect([status, JSON.parse(text)]).toEqual(expected);
  expect(headers.get('content-type')).toBe(wireType);
  expect(headers.get('x-amzn-requestid')).toBe(headers.get('x-request-id'));
  expect(Date.now() - Date.parse(headers.get('date') ?? '')).toBeLessThan(3_600_000);
}

describe.each(paths)('POST %s', (path) => {
  test.each([
    'ListTagsForResource',
    'PutLogEvents',
    'createexporttask',
    'CreateExportTask, Logs_20140328.CreateExportTask',
    '',
  ])('rejects the unknown operation %o', async (operation) => {
    const answer = await world.call('POST', path, '{}', ofOperation(operation));

    expectWireAnswer(answer, [400, { __type: 'UnknownOperationException' }]);
  });

  test.each([
    'application/json',
    'application/x-amz-json-1.0',
    'application/cbor',
    `${wireType}; charset=latin1`,
  ])('rejects a known operation as %s', async (type) => {
    const headers = ofOperation('CreateExportTask', type);
    const answer = await world.call('POST', path, '{}', headers);

    expectWireAnswer(answer, [404, { __type: 'UnknownOperationException' }]);
  });

  test('reads a body as UTF-8, also if the client says so', async () => {
    const headers = ofOperation('PutLogEvents', `${wireType}; charset=utf-8`);
    const answer = await world.call('POST', path, '{}', headers);

    expectWireAnswer(answer, [400, { __type: 'UnknownOperationException' }]);
  });

  test('is no operation without X-Amz-Target', async () => {
    const { status, body } = await world.call('POST', path, {});

    expect([status, body.type]).toEqual(
      path === '/' ? [405, '/problems/method-not-allowed'] : [404, '/problems/no-such-route'],
    );
  });
});

test.each(['/service/Logs_20140328/operation/CreateExportTask', '/aws', '/aws/default/x'])(
  'leaves POST %s free',
  async (path) => {
    const { status, body } = await world.call('POST', path, '{}', ofOperation('CreateExportTask'));

    expect([status, body.type]).toEqual([404, '/problems/no-such-route']);
  },
);

test('leaves GET at its paths to other clients', async () => {
  const headers = ofOperation('CreateExportTask');

  const root = await world.call('GET', '/', undefined, { ...headers, accept: 'text/html' });
  const target = await world.call('GET', '/aws/default', undefined, headers);

  expect([root.status, root.headers.get('location')]).toEqual([303, '/ui/targets']);
  expect([target.status, target.body.type]).toEqual([404, '/problems/no-such-route']);
});

test('is off by default', async () => {
  await using off = await openWorld({ jobs: {} });

  const answers = await Promise.all(
    paths.map((path) => off.call('POST', path, '{}', ofOperation('PutLogEvents'))),
  );

  expect(answers.map(({ status }) => status)).toEqual([405, 404, 404, 404, 404]);
});
