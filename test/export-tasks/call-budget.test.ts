import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';

import { as, callersBy } from '../access.ts';
import { accessBy, callerIn, makePolicyFolder } from '../auth/policy-folder.ts';
import { type Answer, createBody, openWorld, region, type World } from '../world.ts';

/** Everyone may see and cancel tasks of log groups that do not exist. Ann may do everything. */
const access = callersBy(
  ({ subject }, { resource }) => subject === 'ann' || resource.logGroupName === '/not-there',
);

/** A world whose clock the test advances, so that the test controls when the budget is full. */
async function openFrozen() {
  let now = 0;
  const world = await openWorld({ access, callsPerSecond: 4, elapsed: () => now });
  return {
    world,
    advance: (ms: number) => {
      now += ms;
    },
    /** Advances the clock, a second at a time, until all calls are answered. */
    async finish(calls: Promise<unknown>[]) {
      let isOver = false;
      const all = Promise.all(calls).then(() => {
        isOver = true;
      });
      for (; !isOver; await Promise.race([all, delay(100)])) now += 1_000;
    },
  };
}

const describes = (world: World) => world.calls('DescribeExportTasks');

/** Resolves when a request with this method and path waits for the budget. Until then only promises are awaited. */
const arrivalOf = (world: World, line: string) =>
  new Promise<void>((resolve) => {
    world.app.server.on('request', ({ method, url }) => {
      if (`${method} ${url}` === line) setImmediate(resolve);
    });
  });

/** Makes `count` reads that cost one call each. */
const readMany = (world: World, count: number, name: string) =>
  Array.from({ length: count }, (_, index) =>
    world.call('GET', `/export-tasks?nextToken=${index}`, undefined, as(name)),
  );

describe('a caller without any permission', () => {
  test.for([
    ['a task by a random id', 'GET', () => `/export-tasks/${randomUUID()}`, 404],
    ['a cancel of a random id', 'POST', () => `/export-tasks/${randomUUID()}/cancel`, 404],
    ['a page by a token', 'GET', () => `/export-tasks?nextToken=${randomUUID()}`, 200],
    ['pages of every size', 'GET', () => `/export-tasks?limit=${1 + Math.random() * 49}`, 200],
  ] as const)('costs AWS nothing: %s', async ([, method, path, status]) => {
    using folder = makePolicyFolder({
      'a.cedar': 'permit(principal == Caller::"api-key#ann", action, resource);',
    });
    const mallory = callerIn([], { subject: 'mallory' });
    await using world = await openWorld({ access: accessBy(folder.path, { mallory }) });
    world.emulator.seed.finishedTasks({ region, count: 1 });

    const answers: Answer[] = [];
    for (let index = 0; index < 20; index += 1) {
      const body = method === 'POST' ? {} : undefined;
      answers.push(await world.call(method, path().replace(/\.\d+/, ''), body, as('mallory')));
    }

    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([status]));
    expect(world.emulator.journal.entries()).toEqual([]);
    expect(world.audit.filter(({ decision }) => decision === 'forbid')).toHaveLength(20);
  });
});

describe('two hundred callers', () => {
  test('cost AWS one call a second when they poll two hundred new tasks', async () => {
    let now = 0;
    await using world = await openWorld({ elapsed: () => now });
    const ids: string[] = [];
    const statuses = new Set<number>();
    const pollAll = async () => {
      now += 500;
      const calls = ids.map((id) => world.app.inject({ url: `/export-tasks/${id}` }));
      for (const { statusCode } of await Promise.all(calls)) statuses.add(statusCode);
    };
    while (ids.length < 200) {
      ids.push(...world.emulator.seed.finishedTasks({ region, count: 50 }));
      now += 1_000;
      await pollAll();
    }
    world.emulator.journal.clear();

    for (let tick = 0; tick < 20; tick += 1) await pollAll();

    expect([...statuses]).toEqual([200]);
    expect(describes(world).length).toBeLessThanOrEqual(11);
  });
});

describe('an exhausted call budget', () => {
  test('rejects reads with 429 aws-call-budget-exhausted and Retry-After, without a call to AWS', async () => {
    const { world, finish } = await openFrozen();
    await using _ = world;

    const calls = readMany(world, 40, 'ann');
    const refused: Answer[] = [];
    for (const call of calls) {
      call.then((answer) => {
        if (answer.status === 429) refused.push(answer);
      });
    }
    await world.waitFor(() => refused.length === 40 - 4 - 5);
    const sent = describes(world).length;
    const atOnce = [...refused];
    await finish(calls);

    expect(sent).toBe(4);
    for (const { body, headers } of atOnce) {
      expect(body).toMatchObject({
        type: '/problems/aws-call-budget-exhausted',
        isRetryable: true,
      });
      expect(headers.get('retry-after')).toBe('3');
    }
    expect(world.log.some(({ problem }) => problem === 'aws-throttled')).toBe(false);
  });

  test('serves a caller while another one sends requests continuously', async () => {
    const { world, advance, finish } = await openFrozen();
    await using _ = world;
    const hostile = readMany(world, 40, 'mallory');
    await world.waitFor(() => describes(world).length === 4);

    const arrival = arrivalOf(world, 'GET /export-tasks');
    const read = world.call('GET', '/export-tasks', undefined, as('ann'));
    await arrival;
    advance(1_000);

    expect((await read).status).toBe(200);
    await finish(hostile);
  });

  test('sends a create before reads that arrived earlier', async () => {
    const { world, advance, finish } = await openFrozen();
    await using _ = world;
    const reads = readMany(world, 12, 'ann');
    await world.waitFor(() => describes(world).length === 4);

    const arrival = arrivalOf(world, 'POST /export-tasks');
    const create = world.call('POST', '/export-tasks', createBody, as('ann'));
    await arrival;
    advance(1_000);

    expect((await create).status).toBe(201);
    await finish(reads);
  });

  test('rejects a create that would wait too long with 429, and does not send it', async () => {
    const { world, finish } = await openFrozen();
    await using _ = world;
    const calls = Array.from({ length: 20 }, () =>
      world.call('POST', '/export-tasks', createBody, as('ann')),
    );
    const refused: Answer[] = [];
    for (const call of calls) {
      call.then((answer) => {
        if (answer.body.type === '/problems/aws-call-budget-exhausted') refused.push(answer);
      });
    }
    await world.waitFor(() => refused.length === 20 - 4 - 5);
    const sent = world.creates().length;
    await finish(calls);

    expect(sent).toBe(4);
    expect(world.creates()).toHaveLength(20 - refused.length);
    expect(refused.every(({ status }) => status === 429)).toBe(true);
  });

  test('sends no call for a caller that has disconnected', async () => {
    const { world, advance } = await openFrozen();
    await using _ = world;
    const reads = readMany(world, 4, 'ann');
    await Promise.all(reads);
    const leaving = new AbortController();

    const left = fetch(`${world.url}/export-tasks?nextToken=left`, {
      headers: as('ann'),
      signal: leaving.signal,
    }).catch(() => 'left');
    const stays = world.call('GET', '/export-tasks?nextToken=stays', undefined, as('ann'));
    await world.app.inject('/health/live');
    leaving.abort();
    await left;
    await world.waitFor(() => world.log.some(({ isAborted }) => isAborted === true));
    advance(1_000);
    await stays;

    const tokens = describes(world).map(({ input }) => (input as { nextToken: string }).nextToken);
    expect(tokens).toContain('stays');
    expect(tokens).not.toContain('left');
  });
});
