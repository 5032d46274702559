import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openToAll } from '#auth/access.ts';
import { makeWireKey } from '#auth/authentication/signature/wire-key.ts';
import { sign, type Unsigned } from '../auth/authentication/signature/sign.ts';
import { type Guard, openGuard, settingsOf } from '../auth/guard.ts';
import { type Issuer, openIssuer } from '../auth/issuer.ts';
import { makePolicyFolder, openPolicyDir, type PolicyFolder } from '../auth/policy-folder.ts';
import { temporaryDir } from '../database/homes.ts';
import { dial, listen } from '../edge/raw.ts';
import { type Answer, openWorld, region, type World, type WorldOptions } from '../world.ts';

const wireSecret = 'the secret of this test, 32 characters';
const keys = [
  { name: 'checkout', wire: 1 },
  { name: 'billing', wire: 1 },
  { name: 'auditor', wire: 1 },
  { name: 'nobody', wire: 1 },
];
const policies = `
permit(principal == Caller::"api-key#checkout", action, resource);
permit(principal == Caller::"api-key#billing", action, resource in Target::"second");
permit(principal == Caller::"api-key#auditor", action == Action::"ReadTarget", resource == Target::"first");
`;

let issuer: Issuer;
let guard: Guard;
let folder: PolicyFolder;
beforeAll(async () => {
  const apiKeysFile = join(temporaryDir(afterAll), 'api-keys.json');
  const entries = keys.map((key) => ({ ...key, sha256: hash('sha256', key.name) }));
  writeFileSync(apiKeysFile, JSON.stringify(entries));
  issuer = await openIssuer();
  guard = await openGuard({
    methods: ['api-key', 'jwt'],
    issuers: [settingsOf(issuer)],
    apiKeysFile,
    signatures: { secrets: [wireSecret], basePath: '' },
  });
  folder = makePolicyFolder({ 'all.cedar': policies });
});
afterAll(async () => {
  folder[Symbol.dispose]();
  await guard[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

const targets = [
  { name: 'first', region },
  { name: 'second', region },
  { name: 'far', region: 'us-east-1' },
];

/** Opens a world in which callers have keys, and policies. */
async function openKeyed(options: Partial<WorldOptions> = {}): Promise<World> {
  return openWorld({
    jobs: {},
    targets,
    access: async (audit) => {
      const { authorizer } = await openPolicyDir(folder.path, { audit });
      const { methods, authenticate, signatures } = guard.access();
      return { methods, authenticate, signatures, authorizer };
    },
    ...options,
  });
}

/** Sends a signed request. */
function send(
  world: World,
  { name = 'checkout', ...changes }: Partial<Unsigned> & { name?: string } = {},
  tamper: Record<string, string> = {},
): Promise<Answer> {
  const { path, headers, body } = sign({
    ...makeWireKey(wireSecret, name, 1),
    at: Date.now(),
    path: '/aws/first',
    ...changes,
    headers: { host: new URL(world.url).host, ...changes.headers },
  });
  const { host: _sentByFetch, ...others } = headers;
  return world.call('POST', path, String(body), { ...others, ...tamper });
}

const errorOf = ({ status, text }: Answer) => {
  const { __type: code, message } = JSON.parse(text);
  return [status, code, message];
};
const creating = { headers: { 'x-amz-target': 'Logs_20140328.CreateExportTask' } };
const describing = 'Logs_20140328.DescribeExportTasks';

describe('a signed request', () => {
  let world: World;
  beforeAll(async () => {
    world = await openKeyed();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test('has the caller of its key in the log', async () => {
    const answer = await send(world);

    expect([answer.status, JSON.parse(answer.text)]).toEqual([200, { exportTasks: [] }]);
    expect(world.log.at(-1)).toMatchObject({
      principal: 'api-key#checkout',
      route: '/aws/:target',
      status: 200,
    });
  });

  test('has the caller of its token, if it has one', async () => {
    const answer = await send(world, {
      name: 'jwt',
      headers: { 'x-amz-security-token': issuer.token() },
    });

    expect(answer.status).toBe(200);
    expect(world.log.at(-1)).toMatchObject({ principal: `${issuer.url}#alice` });
  });

  test.each<[string, Parameters<typeof send>[1], Record<string, string>, string]>([
    ['a wrong secret', { secretAccessKey: 'x'.repeat(43) }, {}, 'InvalidSignatureException'],
    [
      'the key of another caller',
      { ...makeWireKey(wireSecret, 'billing', 1), accessKeyId: 'checkout' },
      {},
      'InvalidSignatureException',
    ],
    ['an old time', { at: Date.now() - 3_600_000 }, {}, 'InvalidSignatureException'],
    [
      'a changed target header',
      {},
      { 'x-amz-target': 'Logs_20140328.CancelExportTask' },
      'InvalidSignatureException',
    ],
    [
      'an unsigned target header',
      { signedHeaders: ['content-type', 'host', 'x-amz-date'] },
      {},
      'InvalidSignatureException',
    ],
    ['an unknown key', { accessKeyId: 'AKIAIOSFODNN7EXAMPLE' }, {}, 'UnrecognizedClientException'],
    [
      'an unknown token',
      { name: 'jwt', headers: { 'x-amz-security-token': 'not.a.token' } },
      {},
      'UnrecognizedClientException',
    ],
    [
      'an API key only',
      {},
      { authorization: '', 'x-api-key': 'checkout' },
      'MissingAuthenticationTokenException',
    ],
  ])('is rejected with %s, and is in the audit', async (_what, unsigned, tamper, code) => {
    const answer = await send(world, unsigned, tamper);

    expect(errorOf(answer).slice(0, 2)).toEqual([400, code]);
    expect(answer.headers.get('www-authenticate')).toBe(null);
    expect(world.log.at(-1)).toMatchObject({
      principal: 'anonymous',
      errorCode: code,
      problem: 'unauthenticated',
      reason: expect.any(String),
    });
    expect(world.audit.at(-1)).toMatchObject({ audit: 'refusal', route: '/aws/:target' });
  });

  test('is rejected before its body is read, if its headers are enough', async () => {
    const { headers } = sign({
      ...makeWireKey(wireSecret, 'unknown', 1),
      at: Date.now(),
      path: '/',
    });
    const lines = Object.entries({ ...headers, 'content-length': '60000' });
    const head = `POST / HTTP/1.1\r\n${lines.map((line) => line.join(': ')).join('\r\n')}\r\n\r\n`;
    const socket = dial(world.port);
    socket.write(head);

    const { answers } = await listen(socket, head);
    socket.destroy();

    expect(answers[0]?.text).toContain('UnrecognizedClientException');
  });

  test.each<[string, string, string]>([
    ['broken JSON', '{"limit":', 'SerializationException'],
    ['a wrong limit', '{"limit":51}', 'InvalidParameterException'],
    ['too many levels', '['.repeat(40), 'RequestEntityTooLargeException'],
    ['more than 64 KiB', ' '.repeat(65_537), 'RequestEntityTooLargeException'],
  ])('is rejected with %s in its body', async (_what, body, code) => {
    expect(errorOf(await send(world, { body }))[1]).toBe(code);
    expect(world.log.at(-1)).toMatchObject({ errorCode: code });
  });
});

describe('the target of a request', () => {
  let world: World;
  beforeAll(async () => {
    world = await openKeyed();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  test.each([
    ['that of the path', { path: '/aws/second', region: 'us-east-1' }],
    ['that of the path, with a slash behind it', { path: '/aws/second/' }],
    ['the only one of the caller in the Region', { name: 'billing', path: '/' }],
    ['the only one in another Region', { path: '/', region: 'us-east-1' }],
    ['the only one that the caller may see', { name: 'auditor', path: '/' }],
  ])('is %s', async (_which, request) => {
    expect((await send(world, request)).status).toBe(200);
  });

  test.each([
    [
      'one of several in the Region, which are named',
      { path: '/' },
      'You may use several targets in Region eu-west-1. Add one of them to the endpoint URL as /aws/{target}: first, second.',
    ],
    [
      'none in the Region',
      { path: '/', region: 'eu-north-1' },
      'You may use no target in Region eu-north-1. Set the Region of the client to one of your targets: eu-west-1, us-east-1.',
    ],
    [
      'one that the caller may not use',
      { name: 'billing', path: '/', region: 'us-east-1', ...creating },
      'You may use no target in Region us-east-1. Set the Region of the client to one of your targets: eu-west-1.',
    ],
    [
      'one in the path that the caller may not use',
      { name: 'billing', path: '/aws/first', ...creating },
      'There is no target with the name in the path, or you may not use it.',
    ],
  ])('is not clear if it is %s', async (_which, request, text) => {
    expect(errorOf(await send(world, request))).toEqual([400, 'InvalidParameterException', text]);
  });

  const nothingThere = 'The specified export task does not exist.';
  test.each([
    [
      'CreateExportTask',
      { logGroupName: '/app', from: 1, to: 2, destination: 'archive' },
      [
        400,
        'AccessDeniedException',
        'User: api-key#nobody is not authorized to perform: logs:CreateExportTask on resource: arn:aws:logs:eu-west-1:*:log-group:*',
      ],
    ],
    ['DescribeExportTasks', {}, [200, undefined, undefined]],
    ['DescribeExportTasks', { taskId: 'any' }, [200, undefined, undefined]],
    ['CancelExportTask', { taskId: 'any' }, [400, 'ResourceNotFoundException', nothingThere]],
    [
      'DescribeLogGroups',
      {},
      [
        400,
        'AccessDeniedException',
        'User: api-key#nobody is not authorized to perform: logs:DescribeLogGroups on resource: arn:aws:logs:eu-west-1:*:log-group:*',
      ],
    ],
  ])('is not told to a caller that can use none: %s', async (operation, members, expected) => {
    const headers = { 'x-amz-target': `Logs_20140328.${operation}` };
    const body = JSON.stringify(members);
    for (const path of ['/', '/aws/first', '/aws/third']) {
      expect(errorOf(await send(world, { name: 'nobody', path, headers, body }))).toEqual(expected);
    }
  });

  test('has the name none in the audit of a refusal', async () => {
    await send(world, { name: 'nobody', path: '/', ...creating });

    expect(world.audit.at(-1)).toMatchObject({
      audit: 'decision',
      principal: 'api-key#nobody',
      action: 'CreateExportJob',
      decision: 'forbid',
      target: '*',
    });
  });

  test.each(['/aws//', '/aws/%00', '/aws/a%2fb', '/aws/%f0%9f%92%a5'])(
    'is rejected if it is no name of a target: %s',
    async (path) => {
      expect(errorOf(await send(world, { path }))[1]).toMatch(/^Invalid(Parameter|Signature)/);
    },
  );

  test('stays the only one in the Region for a caller that can only read its own tasks', async () => {
    expect((await send(world, { name: 'nobody', path: '/', region: 'us-east-1' })).status).toBe(
      200,
    );
  });
});

test('the rate limit of a caller counts verified requests only', async () => {
  await using world = await openKeyed({ rateLimits: { requestsPerMinute: 2 }, elapsed: () => 0 });
  const forged = { secretAccessKey: 'a guess' };

  for (let count = 0; count < 5; count += 1) await send(world, forged);
  const answers = [await send(world), await send(world), await send(world)];

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 400]);
  expect(errorOf(answers[2] as Answer)).toEqual([400, 'ThrottlingException', 'Rate exceeded']);
  expect(answers[2]?.headers.get('retry-after')).toBe('60');
  expect((await send(world, { name: 'billing', path: '/aws/second' })).status).toBe(200);
});

test('an overloaded service is unavailable for clients, and they repeat', async () => {
  await using world = await openKeyed({ loopDelayMs: () => 10_000 });

  expect(errorOf(await send(world)).slice(0, 2)).toEqual([503, 'ServiceUnavailableException']);
});

test('unfinished bodies in the name of one caller keep out neither its usual requests nor other callers', async () => {
  await using world = await openKeyed({ limits: { earlyBodyMs: 60_000 } });
  const guess = { accessKeyId: 'checkout', secretAccessKey: 'a guess', at: Date.now(), path: '/' };
  const { headers } = sign(guess);
  const lines = Object.entries({ ...headers, 'content-length': '65536' });
  const head = `POST / HTTP/1.1\r\n${lines.map((line) => line.join(': ')).join('\r\n')}\r\n\r\n`;
  const sockets = Array.from({ length: 12 }, () => dial(world.port));
  const answered = sockets.map((socket) => {
    socket.write(head + ' '.repeat(60_000));
    return listen(socket, head);
  });

  const first = await Promise.race(answered);
  const own = await send(world);
  const other = await send(world, { name: 'billing', path: '/aws/second' });
  const overRest = await world.call('GET', '/targets', undefined, { 'x-api-key': 'checkout' });
  for (const socket of sockets) socket.destroy();

  expect(first.answers[0]?.text).toContain('ThrottlingException');
  expect([own.status, other.status, overRest.status]).toEqual([200, 200, 200]);
});

test('a request that is recorded and sent again makes no second task', async () => {
  await using world = await openKeyed();
  const body = JSON.stringify({
    logGroupName: '/app',
    from: 1,
    to: 1_714_607_999_999,
    destination: 'archive',
  });
  const at = Date.now();
  const create = (invocationId: string) =>
    send(
      world,
      {
        at,
        body,
        headers: { 'x-amz-target': 'Logs_20140328.CreateExportTask' },
      },
      { 'amz-sdk-invocation-id': invocationId },
    );

  const first = await create('one');
  const again = await create('another');
  const listed = await send(world, { headers: { 'x-amz-target': describing } });

  expect(first.status).toBe(200);
  expect(JSON.parse(again.text)).toEqual(JSON.parse(first.text));
  expect(JSON.parse(listed.text).exportTasks).toHaveLength(1);
});

test('a signed route needs something that verifies signatures', async () => {
  await using world = await openWorld({ access: () => openToAll, jobs: {} });

  expect((await send(world)).status).toBe(404);
});
