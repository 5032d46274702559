import {
  CancelExportTaskCommand,
  DescribeExportTasksCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it, vi } from 'vitest';
import { bucket, logGroupName, openBench, refusal, sendLogs, startAt } from './bench.ts';

/** Ten ways in which moto 5.2 answers other than AWS does; one test each, in the same order. */
describe('unlike moto, as AWS does, the emulator', () => {
  async function exported(order: Record<string, unknown> = {}) {
    const bench = await openBench();
    const events = [{ timestamp: startAt - 877, message: 'paid' }];
    for (const logStreamName of ['web', 'worker']) {
      bench.emulator.seed.logEvents({ logGroupName, logStreamName, events });
    }
    bench.emulator.seed.logEvents({ logGroupName, logStreamName: 'silent', events: [] });
    const taskId = await bench.create(order);
    bench.emulator.clock.advance(5000);
    return { ...bench, taskId };
  }

  it('writes all streams of a task below the id of the task', async () => {
    await using bench = await exported();

    expect(await bench.keys('exportedlogs/')).toEqual([
      `exportedlogs/${bench.taskId}/web/000000.gz`,
      `exportedlogs/${bench.taskId}/worker/000000.gz`,
    ]);
  });

  it('writes the write test under the prefix', async () => {
    await using bench = await exported({ destinationPrefix: 'daily' });

    expect(await bench.keys('aws')).toEqual([]);
    expect(await bench.keys('daily/aws')).toEqual(['daily/aws-logs-write-test']);
  });

  it('honours logStreamNamePrefix and writes no empty files', async () => {
    await using bench = await exported({ logStreamNamePrefix: 'w' });
    await using silent = await exported({ logStreamNamePrefix: 'silent' });

    expect(await bench.keys('exportedlogs/')).toHaveLength(2);
    expect(await silent.keys('exportedlogs/')).toEqual([]);
  });

  it('writes times in UTC with milliseconds, wherever it runs', async () => {
    vi.stubEnv('TZ', 'Asia/Tokyo');
    await using bench = await exported();
    const [Key] = await bench.keys('exportedlogs/');

    const { text } = await bench.get(Key);

    expect(text).toBe('2026-03-01T11:59:59.123Z paid\n');
    vi.unstubAllEnvs();
  });

  it('asks the bucket for its Region and its policy', async () => {
    await using bench = await openBench();
    bench.emulator.seed.bucket({ bucket: 'far-away', region: 'eu-west-1' });
    bench.emulator.seed.bucket({ bucket: 'closed', policy: null });

    expect(await refusal(bench.create({ destination: 'far-away' }))).toBeDefined();
    expect(await refusal(bench.create({ destination: 'closed' }))).toBeDefined();
  });

  it('has one slot, a rate limit, and takes its time', async () => {
    await using bench = await openBench({ rateLimits: 'aws' });
    const taskId = await bench.create();

    expect((await bench.describe(taskId))?.status?.code).toBe('PENDING');
    const refusals = [];
    for (let call = 0; call < 5; call += 1) refusals.push(await refusal(bench.create()));
    expect(refusals.map((one) => one?.name)).toEqual([
      ...Array(4).fill('LimitExceededException'),
      'ThrottlingException',
    ]);
  });

  it('leaves no task in a status that AWS does not have', async () => {
    await using bench = await exported({ from: startAt, to: startAt - 1000 });

    expect((await bench.describe(bench.taskId))?.status?.code).toBe('COMPLETED');
  });

  it('validates parameters, up to 64 bits', async () => {
    await using bench = await openBench();
    const { url } = bench.emulator;
    const send = (logGroup: string, from: string) =>
      sendLogs(
        url,
        'CreateExportTask',
        `{"logGroupName":"${logGroup}","from":${from},"to":1,"destination":"${bucket}"}`,
      );

    expect((await send('g'.repeat(600), '0')).text).toContain('InvalidParameterException');
    expect((await send('a b', '0')).text).toContain('InvalidParameterException');
    expect((await send('g', '-1')).text).toContain('InvalidParameterException');
    expect((await send('g', '9223372036854775808')).text).toContain('SerializationException');
  });

  it('describes newest first with filters, pages and executionInfo, and knows no missing task', async () => {
    await using bench = await openBench();
    const ids = bench.emulator.seed.finishedTasks({ count: 3 });
    const list = (input: object) => bench.logs.send(new DescribeExportTasksCommand(input));

    const page = await list({ statusCode: 'COMPLETED', limit: 2 });

    expect(page.exportTasks?.map(({ taskId }) => taskId)).toEqual(ids.slice(1).toReversed());
    expect(page.exportTasks?.[0]?.executionInfo?.creationTime).toBeTypeOf('number');
    expect(page.exportTasks?.[0]).not.toHaveProperty('taskName');
    expect((await list({ nextToken: page.nextToken })).exportTasks).toHaveLength(1);
    expect((await list({ taskId: 'none' })).exportTasks).toEqual([]);
  });

  it('refuses to cancel what is over', async () => {
    await using bench = await exported();
    const { taskId } = bench;

    const refused = await refusal(bench.logs.send(new CancelExportTaskCommand({ taskId })));

    expect(refused?.name).toBe('InvalidOperationException');
    expect((await bench.describe(taskId))?.status?.code).toBe('COMPLETED');
  });
});
