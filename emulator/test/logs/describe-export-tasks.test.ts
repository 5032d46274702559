import {
  CancelExportTaskCommand,
  DescribeExportTasksCommand,
  type DescribeExportTasksCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { openAws, refusal, sendLogs, startAt } from '../aws.ts';

describe('DescribeExportTasks', () => {
  it('lists newest first, in pages of at most 50', async () => {
    await using aws = await openAws();
    const ids = aws.emulator.seed.finishedTasks({ count: 120 });
    const list = (input: object) => aws.logs.send(new DescribeExportTasksCommand(input));

    const first = await list({});
    const second = await list({ nextToken: first.nextToken });
    const third = await list({ nextToken: second.nextToken });

    const pages = [first, second, third].map((page) => page.exportTasks ?? []);
    expect(pages.map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(pages.flat().map(({ taskId }) => taskId)).toEqual(ids.toReversed());
    expect(third.nextToken).toBeUndefined();
    expect((await list({ limit: 7 })).exportTasks).toHaveLength(7);
  });

  it('returns no nextToken when the page ends with the last task', async () => {
    await using aws = await openAws();
    aws.emulator.seed.finishedTasks({ count: 50 });

    const page = await aws.logs.send(new DescribeExportTasksCommand({ limit: 50 }));

    expect(page.exportTasks).toHaveLength(50);
    expect(page.nextToken).toBeUndefined();
  });

  it('filters by status', async () => {
    await using aws = await openAws();
    aws.emulator.seed.finishedTasks({ count: 60 });
    const taskId = await aws.create();

    const list = async (statusCode: 'PENDING' | 'RUNNING' | 'COMPLETED') =>
      aws.logs.send(new DescribeExportTasksCommand({ statusCode }));

    expect((await list('PENDING')).exportTasks).toMatchObject([{ taskId }]);
    expect((await list('RUNNING')).exportTasks).toEqual([]);
    expect((await list('COMPLETED')).exportTasks).toHaveLength(50);
  });

  it('returns an empty list for an unknown taskId', async () => {
    await using aws = await openAws();

    const answer = await sendLogs(aws.emulator.url, 'DescribeExportTasks', '{"taskId":"none"}');

    expect(answer).toMatchObject({ status: 200, text: '{"exportTasks":[]}' });
  });

  it('accepts a nextToken for 24 hours and rejects other text', async () => {
    await using aws = await openAws();
    aws.emulator.seed.finishedTasks({ count: 2 });
    const list = (input: object) => aws.logs.send(new DescribeExportTasksCommand(input));
    const { nextToken } = await list({ limit: 1 });
    const invalid = {
      name: 'InvalidParameterException',
      message: 'The specified nextToken is invalid.',
      status: 400,
    };

    expect(await refusal(list({ nextToken: 'made-up' }))).toEqual(invalid);
    expect(await refusal(list({ nextToken: btoa('1') }))).toEqual(invalid);
    aws.emulator.clock.advance(24 * 3_600_000);
    expect((await list({ nextToken })).exportTasks).toHaveLength(1);
    aws.emulator.clock.advance(1);
    expect(await refusal(list({ nextToken }))).toEqual(invalid);
  });

  it('removes finished tasks only with keepFinishedTasksMs', async () => {
    await using aws = await openAws({ keepFinishedTasksMs: 1000 });
    const taskId = await aws.create();

    aws.emulator.clock.advance(2500);
    expect(await aws.describe(taskId)).toBeDefined();
    aws.emulator.clock.advance(1);
    expect(await aws.describe(taskId)).toBeUndefined();
  });

  it('lists a page of 19,000 old tasks quickly', async () => {
    await using aws = await openAws();
    const ids = aws.emulator.seed.finishedTasks({ count: 19_000 });

    const page = await aws.logs.send(new DescribeExportTasksCommand({}));

    expect(page.exportTasks?.[0]?.taskId).toBe(ids.at(-1));
    expect((await aws.describe(ids[0] ?? ''))?.taskId).toBe(ids[0]);
  });
});

describe('an option of DescribeExportTasks', () => {
  type Aws = Awaited<ReturnType<typeof openAws>>;

  /** The ids of each page of a listing. */
  async function listPages({ logs }: Aws, input: DescribeExportTasksCommandInput = {}) {
    const pages: (string | undefined)[][] = [];
    let nextToken: string | undefined;
    do {
      const page = await logs.send(new DescribeExportTasksCommand({ ...input, nextToken }));
      pages.push((page.exportTasks ?? []).map(({ taskId }) => taskId));
      nextToken = page.nextToken;
    } while (nextToken !== undefined);
    return pages;
  }

  it('shownPrefix removes the slash at the end of the prefix', async () => {
    await using aws = await openAws({ shownPrefix: 'trimmed' });

    const taskId = await aws.create({ destinationPrefix: 'a/b/' });

    expect(await aws.describe(taskId)).toMatchObject({ destinationPrefix: 'a/b' });
    expect(await aws.keys()).toEqual(['a/b//aws-logs-write-test']);
  });

  it('listedAfterMs lists a task later, and finds it by id at once', async () => {
    await using aws = await openAws({ listedAfterMs: 3000 });
    const taskId = await aws.create();

    aws.emulator.clock.advance(2999);
    expect(await listPages(aws)).toEqual([[]]);
    expect(await aws.describe(taskId)).toMatchObject({ taskId });
    aws.emulator.clock.advance(1);
    expect(await listPages(aws)).toEqual([[taskId]]);
  });

  it('pendingHasExecutionInfo removes executionInfo while a task is PENDING', async () => {
    await using aws = await openAws({ pendingHasExecutionInfo: false });
    const taskId = await aws.create();

    expect(await aws.describe(taskId)).not.toHaveProperty('executionInfo');
    aws.emulator.clock.advance(500);
    expect(await aws.describe(taskId)).toHaveProperty('executionInfo.creationTime', startAt);
  });

  it.each(['oldest-first', 'by-id'] as const)(
    'filteredOrder lists %s under a filter',
    async (filteredOrder) => {
      await using aws = await openAws({ filteredOrder });
      const ids = aws.emulator.seed.finishedTasks({ count: 7 });

      const pages = await listPages(aws, { statusCode: 'COMPLETED', limit: 3 });

      const expected = filteredOrder === 'by-id' ? ids.toSorted() : ids;
      expect(pages.map(({ length }) => length)).toEqual([3, 3, 1]);
      expect(pages.flat()).toEqual(expected);
      expect((await listPages(aws)).flat()).toEqual(ids.toReversed());
    },
  );

  it.each([
    ['last', [2, 1, 0]],
    ['everywhere', [0, 2, 0, 1, 0]],
  ] as const)('emptyPages adds empty pages: %s', async (emptyPages, lengths) => {
    await using aws = await openAws({ emptyPages });
    const ids = aws.emulator.seed.finishedTasks({ count: 3 });

    const pages = await listPages(aws, { limit: 2 });

    expect(pages.map(({ length }) => length)).toEqual(lengths);
    expect(pages.flat()).toEqual(ids.toReversed());
  });

  it('shownStatusCodes shows an unknown status code, which no filter finds', async () => {
    await using aws = await openAws({ shownStatusCodes: { RUNNING: 'EXPORTING' } });
    const taskId = await aws.create();
    aws.emulator.clock.advance(500);

    expect(await aws.describe(taskId)).toMatchObject({ status: { code: 'EXPORTING' } });
    expect(await listPages(aws, { statusCode: 'RUNNING' })).toEqual([[]]);
    expect(await listPages(aws)).toEqual([[taskId]]);
  });

  it('cancelledWhileRunning completes a task that was cancelled in RUNNING', async () => {
    await using aws = await openAws({ cancelledWhileRunning: 'completes' });
    const taskId = await aws.create();
    aws.emulator.clock.advance(500);

    await aws.logs.send(new CancelExportTaskCommand({ taskId }));
    expect(await aws.describe(taskId)).toMatchObject({ status: { code: 'PENDING_CANCEL' } });
    aws.emulator.clock.advance(100);
    expect(await aws.describe(taskId)).toMatchObject({ status: { code: 'COMPLETED' } });
  });
});
