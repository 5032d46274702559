import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';

import { makeCallBudget } from '#aws/call-budget/call-budget.ts';
import { shareReads } from '#aws/call-budget/shared-reads.ts';
import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { CreateOutcome } from '#aws/create-outcome.ts';
import { createBody, openWorld, region } from '../../world.ts';
import { makeManualClock } from './manual-clock.ts';

/** A budget without a limit. */
const open = { take: () => undefined };

/** CloudWatch Logs that counts describes and answers when the test says so. */
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
    filterLogEvents: async () => ({ events: 0, firstArrivedAt: Infinity }),
    startQuery: async () => ({ queryId: '1' }),
    readQuery: async () => ({ status: 'Complete', rows: [] }),
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
  return { counted, answerAll, logs: shareReads(port, { elapsed: now, budget: open }) };
}

describe('shared reads', () => {
  test('make at most eleven calls when two hundred callers poll one task for ten seconds', async () => {
    let now = 0;
    await using world = await openWorld({ elapsed: () => now });
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

  test('combine identical reads in flight, and no others', async () => {
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

  test('share an answer for one second', async () => {
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

  test('share a failure for one second, so that throttling does not cause more calls', async () => {
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
  ] as const)('are invalidated by %s: %s', async ([, outcome, calls]) => {
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

    await logs.createExportTask({ ...createBody, from: 0n, to: 1n });

    expect(list + (await read({}))).toBe(calls.list);
    expect(task + (await read({ taskId: 'a' }))).toBe(calls.task);
  });

  test('are invalidated by a cancel for its task and all lists, not for other tasks', async () => {
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

  test('are bypassed by a fresh read, whose answer is shared again', async () => {
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

describe('shared reads that wait for the budget', () => {
  /** A budget of one call a second, and CloudWatch Logs that answers at once. */
  function openBudgeted() {
    const clock = makeManualClock();
    const budget = makeCallBudget({ callsPerSecond: 1, ...clock });
    const sent: object[] = [];
    const port = {
      async describeExportTasks(query: object, { caller }: { caller?: string }) {
        sent.push({ ...query, caller });
        return { exportTasks: [], awsRequestId: undefined, answeredAt: 0, ageSeconds: 0 };
      },
    } as unknown as CloudWatchLogs;
    const logs = shareReads(port, { elapsed: clock.elapsed, budget });
    const outcomes: string[] = [];
    const read = (taskId: string, caller: string, signal?: AbortSignal) =>
      void logs.describeExportTasks({ taskId }, { caller, signal }).then(
        () => outcomes.push(`${caller} ${taskId}`),
        (problem) => outcomes.push(`${caller} ${taskId} ${problem.slug}`),
      );
    return { clock, sent, outcomes, read };
  }

  test('leave no listener at the signal of their callers', async () => {
    const { clock, outcomes, read } = openBudgeted();
    const stop = new AbortController();
    for (const taskId of ['first', 'second', 'third']) read(taskId, 'a', stop.signal);

    const waiting = getEventListeners(stop.signal, 'abort').length;
    await clock.advance(60_000);

    expect(waiting).toBeGreaterThan(0);
    expect(outcomes).toHaveLength(3);
    expect(getEventListeners(stop.signal, 'abort')).toEqual([]);
  });

  test('are one call, sent when the budget allows it for the first of their callers', async () => {
    const { clock, sent, outcomes, read } = openBudgeted();
    read('first', 'a');
    read('other', 'a');
    read('shared', 'a');
    for (let index = 0; index < 50; index += 1) read('shared', 'b');

    await clock.advance(2_000);

    expect(sent).toEqual([
      { taskId: 'first', caller: 'a' },
      { taskId: 'other', caller: 'a' },
      { taskId: 'shared', caller: 'b' },
    ]);
    expect(outcomes.filter((line) => line === 'b shared')).toHaveLength(50);
    expect(outcomes).toContain('a shared');
  });

  test('are refused only to the caller whose queue is full', async () => {
    const { clock, outcomes, read } = openBudgeted();
    for (let index = 0; index < 9; index += 1) read(`${index}`, 'hostile');
    read('wanted', 'hostile');
    read('wanted', 'other');

    await clock.advance(2_000);

    expect(outcomes).toContain('hostile wanted aws-call-budget-exhausted');
    expect(outcomes).toContain('other wanted');
  });

  test('are not sent when all of their callers have disconnected', async () => {
    const { clock, sent, read } = openBudgeted();
    const [one, two, stays] = [1, 2, 3].map(() => new AbortController());
    read('first', 'a');
    read('left', 'a', one?.signal);
    read('left', 'a', two?.signal);
    one?.abort();
    read('kept', 'b', two?.signal);
    read('kept', 'b', stays?.signal);
    two?.abort();

    await clock.advance(2_000);

    expect(sent.map((query) => (query as { taskId: string }).taskId)).toEqual(['first', 'kept']);
  });

  test('are sent for a later caller after they were refused', async () => {
    const { clock, sent, outcomes, read } = openBudgeted();
    for (let index = 0; index < 4; index += 1) read(`${index}`, 'a');
    await clock.advance(5_000);

    read('3', 'a');
    await clock.advance(0);

    expect(outcomes).toContain('a 3 aws-call-budget-exhausted');
    expect(outcomes.at(-1)).toBe('a 3');
    expect(sent.at(-1)).toEqual({ taskId: '3', caller: 'a' });
  });
});
