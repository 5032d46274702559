import { DescribeExportTasksCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { openBench, refusal, sendLogs } from '../bench.ts';

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
