import {
  CancelExportTaskCommand,
  DescribeExportTasksCommand,
  type DescribeExportTasksCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { openBench, refusal, sendLogs, startAt } from '../bench.ts';

describe('DescribeExportTasks', () => {
  it('lists newest first, in pages of at most 50', async () => {
    await using bench = await openBench();
    const ids = bench.emulator.seed.finishedTasks({ count: 120 });
    const list = (input: object) => bench.logs.send(new DescribeExportTasksCommand(input));

    const first = await list({});
    const second = await list({ nextToken: first.nextToken });
    const third = await list({ nextToken: second.nextToken });

    const pages = [first, second, third].map((page) => page.exportTasks ?? []);
    expect(pages.map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(pages.flat().map(({ taskId }) => taskId)).toEqual(ids.toReversed());
    expect(third.nextToken).toBeUndefined();
    expect((await list({ limit: 7 })).exportTasks).toHaveLength(7);
  });

  it('gives no nextToken when the page ends with the last task', async () => {
    await using bench = await openBench();
    bench.emulator.seed.finishedTasks({ count: 50 });

    const page = await bench.logs.send(new DescribeExportTasksCommand({ limit: 50 }));

    expect(page.exportTasks).toHaveLength(50);
    expect(page.nextToken).toBeUndefined();
  });

  it('filters by status', async () => {
    await using bench = await openBench();
    bench.emulator.seed.finishedTasks({ count: 60 });
    const taskId = await bench.create();

    const list = async (statusCode: 'PENDING' | 'RUNNING' | 'COMPLETED') =>
      bench.logs.send(new DescribeExportTasksCommand({ statusCode }));

    expect((await list('PENDING')).exportTasks).toMatchObject([{ taskId }]);
    expect((await list('RUNNING')).exportTasks).toEqual([]);
    expect((await list('COMPLETED')).exportTasks).toHaveLength(50);
  });

  it('answers an empty list for an unknown taskId', async () => {
    await using bench = await openBench();

    const answer = await sendLogs(bench.emulator.url, 'DescribeExportTasks', '{"taskId":"none"}');

    expect(answer).toMatchObject({ status: 200, text: '{"exportTasks":[]}' });
  });

  it('takes a nextToken for 24 hours and no other text', async () => {
    await using bench = await openBench();
    bench.emulator.seed.finishedTasks({ count: 2 });
    const list = (input: object) => bench.logs.send(new DescribeExportTasksCommand(input));
    const { nextToken } = await list({ limit: 1 });
    const invalid = {
      name: 'InvalidParameterException',
      message: 'The specified nextToken is invalid.',
      status: 400,
    };

    expect(await refusal(list({ nextToken: 'made-up' }))).toEqual(invalid);
    expect(await refusal(list({ nextToken: btoa('1') }))).toEqual(invalid);
    bench.emulator.clock.advance(24 * 3_600_000);
    expect((await list({ nextToken })).exportTasks).toHaveLength(1);
    bench.emulator.clock.advance(1);
    expect(await refusal(list({ nextToken }))).toEqual(invalid);
  });

  it('forgets finished tasks only when told to', async () => {
    await using bench = await openBench({ keepFinishedTasksMs: 1000 });
    const taskId = await bench.create();

    bench.emulator.clock.advance(2500);
    expect(await bench.describe(taskId)).toBeDefined();
    bench.emulator.clock.advance(1);
    expect(await bench.describe(taskId)).toBeUndefined();
  });

  it('lists a page among 19,000 old tasks at once', async () => {
    await using bench = await openBench();
    const ids = bench.emulator.seed.finishedTasks({ count: 19_000 });

    const page = await bench.logs.send(new DescribeExportTasksCommand({}));

    expect(page.exportTasks?.[0]?.taskId).toBe(ids.at(-1));
    expect((await bench.describe(ids[0] ?? ''))?.taskId).toBe(ids[0]);
  });
});

describe('DescribeExportTasks may also, when told to,', () => {
  type Bench = Awaited<ReturnType<typeof openBench>>;

  /** The ids of each page of a listing. */
  async function listPages({ logs }: Bench, input: DescribeExportTasksCommandInput = {}) {
    const pages: (string | undefined)[][] = [];
    let nextToken: string | undefined;
    do {
      const page = await logs.send(new DescribeExportTasksCommand({ ...input, nextToken }));
      pages.push((page.exportTasks ?? []).map(({ taskId }) => taskId));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return pages;
  }

  it('show the prefix without the slash at its end', async () => {
    await using bench = await openBench({ shownPrefix: 'trimmed' });

    const taskId = await bench.create({ destinationPrefix: 'a/b/' });

    expect(await bench.describe(taskId)).toMatchObject({ destinationPrefix: 'a/b' });
    expect(await bench.keys()).toEqual(['a/b//aws-logs-write-test']);
  });

  it('know a task by id at once and list it seconds later', async () => {
    await using bench = await openBench({ listedAfterMs: 3000 });
    const taskId = await bench.create();

    bench.emulator.clock.advance(2999);
    expect(await listPages(bench)).toEqual([[]]);
    expect(await bench.describe(taskId)).toMatchObject({ taskId });
    bench.emulator.clock.advance(1);
    expect(await listPages(bench)).toEqual([[taskId]]);
  });

  it('have no executionInfo while a task is PENDING', async () => {
    await using bench = await openBench({ pendingHasExecutionInfo: false });
    const taskId = await bench.create();

    expect(await bench.describe(taskId)).not.toHaveProperty('executionInfo');
    bench.emulator.clock.advance(500);
    expect(await bench.describe(taskId)).toHaveProperty('executionInfo.creationTime', startAt);
  });

  it.each(['oldest-first', 'by-id'] as const)('list %s under a filter', async (filteredOrder) => {
    await using bench = await openBench({ filteredOrder });
    const ids = bench.emulator.seed.finishedTasks({ count: 7 });

    const pages = await listPages(bench, { statusCode: 'COMPLETED', limit: 3 });

    const expected = filteredOrder === 'by-id' ? ids.toSorted() : ids;
    expect(pages.map(({ length }) => length)).toEqual([3, 3, 1]);
    expect(pages.flat()).toEqual(expected);
    expect((await listPages(bench)).flat()).toEqual(ids.toReversed());
  });

  it.each([
    ['last', [2, 1, 0]],
    ['everywhere', [0, 2, 0, 1, 0]],
  ] as const)('give empty pages: %s', async (emptyPages, lengths) => {
    await using bench = await openBench({ emptyPages });
    const ids = bench.emulator.seed.finishedTasks({ count: 3 });

    const pages = await listPages(bench, { limit: 2 });

    expect(pages.map(({ length }) => length)).toEqual(lengths);
    expect(pages.flat()).toEqual(ids.toReversed());
  });

  it('show a status code nobody knows, which no filter finds', async () => {
    await using bench = await openBench({ shownStatusCodes: { RUNNING: 'EXPORTING' } });
    const taskId = await bench.create();
    bench.emulator.clock.advance(500);

    expect(await bench.describe(taskId)).toMatchObject({ status: { code: 'EXPORTING' } });
    expect(await listPages(bench, { statusCode: 'RUNNING' })).toEqual([[]]);
    expect(await listPages(bench)).toEqual([[taskId]]);
  });

  it('complete a task that was cancelled while it ran', async () => {
    await using bench = await openBench({ cancelledWhileRunning: 'completes' });
    const taskId = await bench.create();
    bench.emulator.clock.advance(500);

    await bench.logs.send(new CancelExportTaskCommand({ taskId }));
    expect(await bench.describe(taskId)).toMatchObject({ status: { code: 'PENDING_CANCEL' } });
    bench.emulator.clock.advance(100);
    expect(await bench.describe(taskId)).toMatchObject({ status: { code: 'COMPLETED' } });
  });
});
