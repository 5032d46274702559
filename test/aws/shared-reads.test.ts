import { describe, expect, test } from 'vitest';

import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { CreateOutcome } from '#aws/create-outcome.ts';
import { shareReads } from '#aws/shared-reads.ts';
import { openWorld, order, region } from '../world.ts';

/** A port that counts describes and answers when the test says so. */
function openCounted(now: () => number, outcome: CreateOutcome['outcome'] = 'accepted') {
  const waiting: ((isFailure: boolean) => void)[] = [];
  let describes = 0;
  const port: CloudWatchLogs = {
    async describeExportTasks() {
      describes += 1;
      const isFailure = await new Promise<boolean>((resolve) => waiting.push(resolve));
      if (isFailure) throw new Error('throttled');
      return {
        exportTasks: [],
        awsRequestId: `${describes}`,
        answeredAt: now(),
        ageSeconds: 0,
      };
    },
    createExportTask: async () => ({ outcome }) as CreateOutcome,
    cancelExportTask: async () => ({ awsRequestId: undefined }),
    describeLogGroups: async () => ({ logGroups: [] }),
    async [Symbol.asyncDispose]() {},
  };
  const counted = {
    get describes() {
      return describes;
    },
  };
  const answerAll = async (isFailure = false) => {
    for (const resolve of waiting.splice(0)) resolve(isFailure);
    await new Promise(setImmediate);
  };
  return { counted, answerAll, logs: shareReads(port, now) };
}

describe('shared reads', () => {
  test('two hundred callers polling one task for ten seconds cause at most eleven calls', async () => {
    let now = Date.now();
    await using world = await openWorld({ now: () => now });
    const [taskId] = world.emulator.seed.finishedTasks({ region, count: 1 });

    const poll = () => world.app.inject({ url: `/export-tasks/${taskId}` });
    const statuses = new Set<number>();
    for (let tick = 0; tick < 20; tick += 1) {
      const answers = await Promise.all(Array.from({ length: 200 }, poll));
      for (const answer of answers) statuses.add(answer.statusCode);
      now += 500;
    }

    expect([...statuses]).toEqual([200]);
    expect(world.calls('DescribeExportTasks').length).toBeLessThanOrEqual(11);
    expect(world.calls('DescribeExportTasks').length).toBeGreaterThan(5);
  });

  test('identical reads in flight are one call, different ones are not', async () => {
    const { counted, answerAll, logs } = openCounted(() => 0);

    const reads = [
      logs.describeExportTasks({ taskId: 'a' }),
      logs.describeExportTasks({ taskId: 'a' }),
      logs.describeExportTasks({ taskId: 'b' }),
    ];
    await answerAll();
    const pages = await Promise.all(reads);

    expect(counted.describes).toBe(2);
    expect(pages.map((page) => page.ageSeconds)).toEqual([0, 0, 0]);
  });

  test('an answer serves for a second and not longer', async () => {
    let now = 0;
    const { counted, answerAll, logs } = openCounted(() => now);
    const first = logs.describeExportTasks({});
    await answerAll();
    await first;

    now = 1_000;
    const second = await logs.describeExportTasks({});
    now = 1_001;
    const third = logs.describeExportTasks({});
    await answerAll();
    await third;

    expect(second.ageSeconds).toBe(1);
    expect(counted.describes).toBe(2);
  });

  test('a failure serves for a second, too, so that throttling is not answered with more calls', async () => {
    let now = 0;
    const { counted, answerAll, logs } = openCounted(() => now);
    const first = logs.describeExportTasks({});
    await Promise.all([expect(first).rejects.toThrow('throttled'), answerAll(true)]);

    await expect(logs.describeExportTasks({})).rejects.toThrow('throttled');
    now = 1_001;
    const third = logs.describeExportTasks({});
    await answerAll();

    await expect(third).resolves.toMatchObject({ exportTasks: [] });
    expect(counted.describes).toBe(2);
  });

  test.for([
    ['an accepted create', 'accepted', { list: 2, task: 1 }],
    ['a create of unknown outcome', 'unknown', { list: 2, task: 1 }],
    ['a refused create', 'refused', { list: 1, task: 1 }],
  ] as const)('%s makes fresh what it changed: %s', async ([, outcome, calls]) => {
    const { counted, answerAll, logs } = openCounted(() => 0, outcome);
    const read = async (query: { taskId?: string }) => {
      const before = counted.describes;
      const page = logs.describeExportTasks(query);
      await answerAll();
      await page;
      return counted.describes - before;
    };
    const list = await read({});
    const task = await read({ taskId: 'a' });

    await logs.createExportTask({ ...order, from: 0n, to: 1n });

    expect(list + (await read({}))).toBe(calls.list);
    expect(task + (await read({ taskId: 'a' }))).toBe(calls.task);
  });

  test('a cancel makes its task and the lists fresh, and leaves other tasks', async () => {
    const { counted, answerAll, logs } = openCounted(() => 0);
    const queries = [{}, { taskId: 'a' }, { taskId: 'b' }];
    const readAll = async () => {
      const pages = queries.map((query) => logs.describeExportTasks(query));
      await answerAll();
      await Promise.all(pages);
    };
    await readAll();

    await logs.cancelExportTask('a');
    await readAll();

    expect(counted.describes).toBe(3 + 2);
  });

  test('a read that is asked to be fresh is, and serves the next', async () => {
    const { counted, answerAll, logs } = openCounted(() => 0);
    const first = logs.describeExportTasks({});
    await answerAll();
    await first;

    const fresh = logs.describeExportTasks({}, { isFresh: true });
    await answerAll();
    const third = await logs.describeExportTasks({});

    expect((await fresh).awsRequestId).toBe('2');
    expect(third.awsRequestId).toBe('2');
    expect(counted.describes).toBe(2);
  });
});
