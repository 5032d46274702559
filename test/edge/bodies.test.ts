import { Readable } from 'node:stream';
import { expect, test } from 'vitest';

import { makeBodyBudget } from '#edge/body-budget.ts';
import { edgeLimits } from '#edge/limits.ts';
import { freeBody, readBody } from '#edge/read-body.ts';
import { as, callersBy } from '../access.ts';
import { accessBy, callerIn, makePolicyFolder } from '../auth/policy-folder.ts';
import { createBody, openWorld, type World, type WorldOptions } from '../world.ts';
import { expectOneLine, expectProblem } from './expect-problem.ts';
import { dial, listen, request, talk } from './raw.ts';

const json = { 'Content-Type': 'application/json' };
const body = JSON.stringify(createBody);
const post = (headers: Record<string, string>, text = body, path = '/export-tasks') =>
  request(`POST ${path}`, { ...json, ...headers }, text);
const named = (name: string) => ({ 'X-Test-Caller': name });

/** The headers of a request whose body does not follow. */
const half = (length: number, headers: Record<string, string> = {}, path = '/export-tasks') =>
  request(`POST ${path}`, { ...json, 'Content-Length': String(length), ...headers });

const known: WorldOptions = { access: callersBy(() => true), jobs: {} };

/** Sends the headers of requests, and resolves when the gateway has read them all. */
async function begin(world: World, beginnings: string[]) {
  const sockets = beginnings.map((bytes) => {
    const socket = dial(world.port);
    socket.write(bytes, 'latin1');
    return socket;
  });
  // Later connections are answered after them.
  await Promise.all(beginnings.map(() => talk(world.port, request('GET /health/live'))));
  return {
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

test('limits the bytes of each caller and of all, and reuses released bytes', () => {
  const take = makeBodyBudget({ bodiesBytes: 100, callerBodiesBytes: 60 });
  const giveBack = take('ada', 40);

  expect(() => take('ada', 21)).toThrow('too-many-bodies');
  take('ada', 20);
  expect(() => take('bob', 41)).toThrow('overloaded');
  take(undefined, 40);
  expect(() => take('bob', 1)).toThrow('overloaded');
  giveBack();

  expect(() => take('ada', 41)).toThrow('too-many-bodies');
  expect(take('ada', 40)).toEqual(expect.any(Function));
});

test('rejects only the next body of a caller whose bodies do not arrive', async () => {
  await using world = await openWorld({
    ...known,
    limits: { bodiesBytes: 100_000, callerBodiesBytes: 40_000 },
  });
  {
    using _held = await begin(world, Array(4).fill(half(10_000, named('ada'))));

    const own = await talk(world.port, post(named('ada')));
    const other = await talk(world.port, post(named('bob')));

    await expectProblem(world, own.answers[0], 'too-many-bodies');
    expect(other.answers[0]?.status).toBe(201);
  }
  await expect
    .poll(async () => (await talk(world.port, post(named('ada'), '{}'))).answers[0]?.status)
    .toBe(400);
});

test('counts a chunked body with the limit of its operation', async () => {
  await using world = await openWorld({
    ...known,
    limits: { bodiesBytes: 3_000_000, callerBodiesBytes: 1_100_000 },
  });
  const chunked = { ...json, ...named('ada'), 'Transfer-Encoding': 'chunked' };
  using _held = await begin(world, [`${request('POST /export-jobs', chunked)}1\r\n{\r\n`]);

  const next = await talk(world.port, post({ ...named('ada') }, ' '.repeat(60_000)));

  await expectProblem(world, next.answers[0], 'too-many-bodies');
});

test('limits the bodies of all callers together, also of anonymous ones', async () => {
  await using world = await openWorld({ limits: { bodiesBytes: 40_000, callerBodiesBytes: 1 } });
  using _held = await begin(world, Array(4).fill(half(10_000)));

  const next = await talk(world.port, post({}));
  const read = await talk(world.port, request('GET /targets'));

  await expectProblem(world, next.answers[0], 'overloaded');
  expect(read.answers[0]?.status).toBe(200);
});

test('counts a body until its request is answered', async () => {
  await using world = await openWorld({
    ...known,
    limits: { callerBodiesBytes: body.length },
    timeouts: { createMs: 60_000 },
  });
  world.emulator.faults.add({ kind: 'silence-before', operation: 'CreateExportTask' });
  using _held = await begin(world, [post(named('ada'))]);
  await world.waitFor(() => world.creates().length === 1);

  const next = await talk(world.port, post(named('ada'), '{}'));
  await world.emulator.close(); // ends the calls that still wait for AWS

  await expectProblem(world, next.answers[0], 'too-many-bodies');
});

test.for([
  ['of a length that is known', 40_000],
  ['in chunks', undefined],
] as const)('reads a body %s into its own memory and releases it', async ([, length]) => {
  const chunks = Array.from({ length: 40 }, (_, n) => Buffer.alloc(1_000, `${n % 10}`));

  const bytes = await readBody(Readable.from(chunks), { length, limit: 65_536 });
  const read = bytes.toString();
  freeBody(bytes);

  expect(read).toBe(Buffer.concat(chunks).toString());
  expect([bytes.length, bytes.buffer.byteLength]).toEqual([0, 0]);
});

test('has a limit for all callers that fits a small container, and a smaller one per caller', () => {
  const { bodyBytes, bodiesBytes, callerBodiesBytes } = edgeLimits;

  expect(bodiesBytes).toBeLessThanOrEqual(8 * 1_048_576);
  expect(callerBodiesBytes).toBeLessThanOrEqual(bodiesBytes / 8);
  expect(callerBodiesBytes).toBeGreaterThanOrEqual(1_048_576);
  expect(bodyBytes).toBe(65_536);
});

/** A caller without permission: its policies permit it to read, and to create nothing. */
const reading = `permit(principal in Group::"api-key#readers", action in Action::"read", resource);`;
const permitting = `permit(principal in Group::"api-key#writers", action, resource);
  forbid(principal, action == Action::"CreateExportJob", resource);`;

test('answers unauthenticated and unpermitted callers before the body arrives', async () => {
  using folder = makePolicyFolder({ 'all.cedar': `${reading}\n${permitting}` });
  const callers = { reader: callerIn(['readers']), writer: callerIn(['writers']) };
  const access = accessBy(folder.path, callers);
  await using world = await openWorld({ access, rateLimits: { createsPerMinute: 3 }, jobs: {} });
  const early = async (headers: Record<string, string>, path?: string) => {
    const bytes = half(9_999, headers, path);
    const socket = dial(world.port);
    socket.write(bytes);
    const { answers } = await listen(socket, bytes);
    socket.destroy();
    return answers[0];
  };

  await expectProblem(world, await early({}), 'unauthenticated');
  await expectProblem(world, await early({}, '/nope'), 'no-such-route');
  await expectProblem(world, await early({}, '/targets'), 'method-not-allowed');
  await expectProblem(world, await early({}, '/problems'), 'method-not-allowed');
  await expectProblem(world, await early(named('reader')), 'not-permitted');
  await expectProblem(world, await early(named('reader'), '/export-jobs'), 'not-permitted');
  for (let left = 3; left > 0; left -= 1) await talk(world.port, post(named('writer'), '{}'));
  await expectProblem(world, await early(named('writer')), 'rate-limited');
  expect(world.audit.filter(({ audit }) => audit === 'decision')).toEqual([
    expect.objectContaining({ action: 'CreateExportTask', decision: 'forbid', target: '*' }),
    expect.objectContaining({ action: 'CreateExportJob', decision: 'forbid', target: '*' }),
  ]);
});

test.each([
  ['permits it', 'permit(principal, action == Action::"CreateExportTask", resource);', 400],
  ['permits its kind', 'permit(principal, action in [Action::"create"], resource);', 400],
  [
    'permits all to some',
    'permit(principal, action, resource) when { resource.name == "x" };',
    400,
  ],
  ['permits another action', 'permit(principal, action == Action::"ReadTarget", resource);', 403],
  ['permits it to others', 'permit(principal == Caller::"api-key#b", action, resource);', 403],
  ['forbids it alone', 'forbid(principal, action, resource);', 403],
])('decides before the body is read with a policy that %s', async (_name, policy, status) => {
  using folder = makePolicyFolder({ 'one.cedar': policy });
  const access = accessBy(folder.path, { a: callerIn([]) });
  await using world = await openWorld({ access });

  const { answers } = await talk(world.port, post(named('a'), '{}'));

  expect(answers[0]?.status).toBe(status);
});

test('asks for a body with 100-continue after authentication', async () => {
  await using world = await openWorld(known);
  const waiting = (headers: Record<string, string>) =>
    half(2, { Expect: '100-continue', ...headers });

  const unknown = await talk(world.port, waiting({}));
  const socket = dial(world.port);
  const asked = new Promise<string>((resolve) => {
    socket.once('data', (bytes) => resolve(bytes.toString()));
  });
  socket.write(waiting(named('ada')));

  expect(await asked).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  socket.destroy();
  await expectProblem(world, unknown.answers[0], 'unauthenticated');
  expect(unknown.isClosed).toBe(true); // a late body would be read as a request
});

test('reads a body in chunks of one byte', async () => {
  await using world = await openWorld();
  const chunks = [...body].map((character) => `1\r\n${character}\r\n`).join('');
  const head = request('POST /export-tasks', { ...json, 'Transfer-Encoding': 'chunked' });

  const { answers } = await talk(world.port, `${head}${chunks}0\r\n\r\n`);

  expect(answers[0]?.status).toBe(201);
});

test('rejects a chunked body that exceeds its limit', async () => {
  await using world = await openWorld();
  const head = request('POST /export-tasks', { ...json, 'Transfer-Encoding': 'chunked' });
  const chunk = `1000\r\n${' '.repeat(0x1000)}\r\n`;
  const last = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;

  const full = await talk(world.port, `${head}${chunk.repeat(15)}${last(body.padEnd(0x1000))}`);
  const over = await talk(world.port, `${head}${chunk.repeat(15)}${last(body.padEnd(0x1001))}`);

  expect(full.answers[0]?.status).toBe(201);
  await expectProblem(world, over.answers[0], 'body-too-large');
});

test('returns 408 when a body does not arrive in the time of its operation', async () => {
  await using world = await openWorld({ jobs: {}, limits: { handlerMs: 100 } });
  const bytes = half(100, {}, '/export-jobs/some-job/retry');

  const { answers } = await talk(world.port, bytes);

  await expectProblem(world, answers[0], 'request-timeout');
});

test('logs no error when a caller leaves during its body', async () => {
  await using world = await openWorld(known);
  {
    using _held = await begin(world, [`${half(100, named('ada'))}{`]);
  }

  await expect.poll(() => world.log.some(({ isAborted }) => isAborted === true)).toBe(true);
  expect(world.log.filter(({ level }) => level !== 'info' && level !== 'debug')).toEqual([]);
  const { headers } = await world.call('GET', '/targets', undefined, as('ada'));
  await expectOneLine(world, headers.get('x-request-id') ?? undefined);
});
