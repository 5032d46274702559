import { expect, test } from 'vitest';

import { callersBy } from '../access.ts';
import { createBody, openWorld, type World, type WorldOptions } from '../world.ts';
import { expectProblem } from './expect-problem.ts';
import { dial, listen, request, talk } from './raw.ts';

const known: WorldOptions = { access: callersBy(() => true) };
const ownPage = { 'Sec-Fetch-Site': 'same-origin' };
const form = { ...ownPage, 'Content-Type': 'application/x-www-form-urlencoded' };
const chunked = { ...form, 'Transfer-Encoding': 'chunked' };
const create = request(
  'POST /export-tasks',
  { 'Content-Type': 'application/json', 'X-Test-Caller': 'ada' },
  JSON.stringify(createBody),
);
const half = (path: string, bytes = 1) =>
  `${request(`POST ${path}`, chunked)}${bytes.toString(16)}\r\n${'a'.repeat(bytes)}\r\n`;
const large = 16_000;

/** Sends forms without their end, and resolves when the gateway has read all of that. */
async function hold(
  world: World,
  count: number,
  { paths = ['/ui/sign-in', '/ui/sign-out'], bytes = 1 } = {},
) {
  const sockets = Array.from({ length: count }, (_, index) => {
    const socket = dial(world.port);
    socket.write(half(paths[index % paths.length] ?? '', bytes));
    return socket;
  });
  // Later connections are answered after them.
  await Promise.all(sockets.map(() => talk(world.port, request('GET /health/live'))));
  return {
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Returns the answer to a request whose body does not end. */
async function early(world: World, bytes: string) {
  const socket = dial(world.port);
  socket.write(bytes);
  const { answers } = await listen(socket, bytes);
  socket.destroy();
  return answers[0];
}

test('accepts the body of a caller while anyone holds 200 half-sent forms', async () => {
  await using world = await openWorld(known);
  using _held = await hold(world, 200);

  const { answers } = await talk(world.port, create);

  expect(answers[0]?.status).toBe(201);
});

test('signs in and out while half-sent small forms come from the same address', async () => {
  await using world = await openWorld(known);
  using _held = await hold(world, 50, { paths: ['/ui/sign-out'] });

  const whole = (path: string) => talk(world.port, `${half(path)}0\r\n\r\n`);
  const signIn = await whole('/ui/sign-in');
  const signOut = await whole('/ui/sign-out');

  // Their bodies were read: they have no token of a session.
  expect(signIn.answers[0]?.text).toContain('belongs to another session');
  expect(signOut.answers[0]?.text).toContain('belongs to another session');
});

test('accepts the body of a caller while the budget of forms is full', async () => {
  await using world = await openWorld({
    ...known,
    limits: { bodiesBytes: 65_536, publicBodiesBytes: 20_000, earlyBodyMs: 60_000 },
  });
  using _held = await hold(world, 1, { bytes: large });

  const signOut = await early(world, half('/ui/sign-out', large));
  const { answers } = await talk(world.port, create);

  await expectProblem(world, signOut, 'overloaded');
  expect(answers[0]?.status).toBe(201);
});

test('limits the half-sent large forms of one address', async () => {
  await using world = await openWorld({
    ...known,
    limits: { addressBodiesBytes: 20_000, earlyBodyMs: 60_000 },
  });
  using _held = await hold(world, 1, { bytes: large });

  const signOut = await early(world, half('/ui/sign-out', large));

  await expectProblem(world, signOut, 'too-many-bodies');
});

test('returns 408 for a form that does not arrive in its time', async () => {
  await using world = await openWorld({ ...known, limits: { earlyBodyMs: 20 } });

  const { answers, isClosed } = await talk(world.port, half('/ui/sign-out'));

  await expectProblem(world, answers[0], 'request-timeout');
  expect(isClosed).toBe(true);
});

test.each(['/ui/sign-in', '/ui/sign-out'])(
  'refuses a form of another site, or a large one, at %s before its body',
  async (path) => {
    await using world = await openWorld(known);
    const otherSite = { ...chunked, 'Sec-Fetch-Site': 'none' };

    await expectProblem(
      world,
      await early(world, request(`POST ${path}`, otherSite)),
      'origin-not-allowed',
    );
    const tooLarge = { ...form, 'Content-Length': '16385' };
    await expectProblem(
      world,
      await early(world, request(`POST ${path}`, tooLarge)),
      'body-too-large',
    );
  },
);

test('refuses the sign-ins of an address that has tried too often before their bodies', async () => {
  await using world = await openWorld({ ...known, elapsed: () => 0 });
  for (let attempt = 0; attempt < 30; attempt += 1) {
    await talk(world.port, request('POST /ui/sign-in', form, 'token=wrong'));
  }

  await expectProblem(world, await early(world, half('/ui/sign-in')), 'rate-limited');
});
