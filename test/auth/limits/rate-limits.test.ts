import { expect, test } from 'vitest';

import type { Access } from '#auth/access.ts';
import { openToAll } from '#auth/access.ts';
import type { RateLimits } from '#auth/limits/plugin.ts';
import { anonymous } from '#auth/principal.ts';
import { Problem } from '#problems/problem.ts';
import { createBody, openWorld } from '../../world.ts';

// Callers identify themselves in a test header; other tests cover authentication.
const byName: Access = {
  ...openToAll,
  authenticate({ headers }) {
    const subject = headers['test-caller'];
    if (typeof subject !== 'string') throw new Problem('unauthenticated', 'Nobody calls.');
    return { ...anonymous, id: `test#${subject}`, issuer: 'test', subject };
  },
};
const ada = { 'test-caller': 'ada' };
const bob = { 'test-caller': 'bob' };

/** Opens a world with budgets and a clock that the test advances. */
async function openLimited(rateLimits: Partial<RateLimits>) {
  let now = 0;
  const world = await openWorld({
    access: () => byName,
    rateLimits,
    elapsed: () => now,
    emulator: { activeTaskLimit: 100 },
    jobs: {},
  });
  return Object.assign(world, {
    advance: (ms: number) => {
      now += ms;
    },
    create: (headers: Record<string, string>) =>
      world.call('POST', '/export-tasks', createBody, headers),
    list: (headers: Record<string, string>) => world.call('GET', '/targets', undefined, headers),
  });
}

const fieldsOf = ({ headers }: { headers: Headers }) => [
  headers.get('ratelimit-policy'),
  headers.get('ratelimit'),
  headers.get('retry-after'),
];

test('returns the budget in structured fields of each answer', async () => {
  await using world = await openLimited({ createsPerMinute: 120, requestsPerMinute: 3_000 });

  const created = await world.create(ada);
  world.advance(18_000);
  const refused = await world.call('POST', '/export-tasks', { nonsense: true }, ada);
  const listed = await world.list(ada);

  expect([created.status, ...fieldsOf(created)]).toEqual([
    201,
    '"creates";q=120;w=60',
    '"creates";r=119;t=60',
    null,
  ]);
  expect([refused.status, ...fieldsOf(refused)]).toEqual([
    400,
    '"creates";q=120;w=60',
    '"creates";r=118;t=42',
    null,
  ]);
  expect([listed.status, ...fieldsOf(listed)]).toEqual([
    200,
    '"requests";q=3000;w=60',
    '"requests";r=2999;t=60',
    null,
  ]);
});

test('returns 429 above the limit until the window ends, and sends nothing to AWS', async () => {
  await using world = await openLimited({ createsPerMinute: 1 });
  await world.create(ada);
  world.advance(12_300);

  const over = await world.create(ada);
  const creates = world.creates().length;
  world.advance(47_700);
  const again = await world.create(ada);

  expect([over.status, over.body.type]).toEqual([429, '/problems/rate-limited']);
  expect(fieldsOf(over)).toEqual(['"creates";q=1;w=60', '"creates";r=0;t=48', '48']);
  expect(creates).toBe(1);
  expect(again.status).toBe(201);
});

test('counts creates and other requests separately, across all operations', async () => {
  await using world = await openLimited({ createsPerMinute: 2, requestsPerMinute: 2 });
  const job = '/export-jobs/0191d2f0-7a57-4d0c-9d57-0d1a3f5d9a11';
  const statusOf = async (method: string, path: string, body?: object) =>
    (await world.call(method, path, body, ada)).status;

  const creates = [
    await statusOf('POST', '/export-jobs?dryRun=true', {}),
    await statusOf('POST', `${job}/retry`, {}),
    await statusOf('POST', '/export-tasks', createBody),
  ];
  const others = [
    await statusOf('GET', '/export-tasks'),
    await statusOf('POST', `${job}/cancel`),
    await statusOf('HEAD', '/targets'),
  ];

  expect(creates).toEqual([400, 404, 429]);
  expect(others).toEqual([200, 404, 429]);
});

test('keeps the budgets of callers separate', async () => {
  await using world = await openLimited({ requestsPerMinute: 1 });
  await world.list(ada);

  const statuses = [(await world.list(ada)).status, (await world.list(bob)).status];

  expect(statuses).toEqual([429, 200]);
});

test.each([
  ['x-forwarded-for', '203.0.113.7'],
  ['forwarded', 'for=203.0.113.7'],
  ['x-real-ip', '203.0.113.7'],
  ['true-client-ip', '203.0.113.7'],
  ['cf-connecting-ip', '203.0.113.7'],
  ['x-client-ip', '203.0.113.7'],
  ['x-api-key', 'of nobody'],
  ['x-user-id', 'bob'],
  ['x-request-id', 'bob'],
  ['x-forwarded-user', 'bob'],
])('ignores %s when it chooses the budget', async (name, value) => {
  await using world = await openLimited({ requestsPerMinute: 1 });
  await world.list(ada);

  const spoofed = await world.list({ ...ada, [name]: value });

  expect(spoofed.status).toBe(429);
});

test('counts no unauthenticated request, and returns no budget to it', async () => {
  await using world = await openLimited({ requestsPerMinute: 1 });

  const unknown = await world.list({});
  const first = await world.list(ada);

  expect([unknown.status, ...fieldsOf(unknown)]).toEqual([401, null, null, null]);
  expect(first.status).toBe(200);
});

test('does not limit public routes', async () => {
  await using world = await openLimited({ requestsPerMinute: 1 });

  const answers = [];
  for (const path of ['/health/live', '/problems', '/openapi.json', '/docs']) {
    answers.push(await world.call('GET', path, undefined, ada));
  }
  const first = await world.list(ada);

  expect(answers.map(({ status }) => status)).not.toContain(429);
  expect(answers.flatMap(fieldsOf)).toEqual(Array(12).fill(null));
  expect(first.status).toBe(200);
});

test('does not limit requests when the setting is 0', async () => {
  await using world = await openLimited({ createsPerMinute: 1, requestsPerMinute: 0 });

  const answer = await world.list(ada);

  expect(fieldsOf(answer)).toEqual([null, null, null]);
});

test('does not limit anonymous callers', async () => {
  await using world = await openWorld({ rateLimits: { requestsPerMinute: 1 } });

  const answers = [await world.call('GET', '/targets'), await world.call('GET', '/targets')];

  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
  expect(answers.flatMap(fieldsOf)).toEqual(Array(6).fill(null));
});
