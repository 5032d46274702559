import {
  CancelExportTaskCommand,
  DescribeExportTasksCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it, vi } from 'vitest';
import { bucket, logGroupName, openAws, refusal, sendLogs, startAt } from './aws.ts';

/** Ten differences between moto 5.2 and AWS, one test each. */
describe('like AWS and unlike moto, the emulator', () => {
  async function exported(order: Record<string, unknown> = {}) {
    const aws = await openAws();
    const events = [{ timestamp: startAt - 877, message: 'paid' }];
    for (const logStreamName of ['web', 'worker']) {
      aws.emulator.seed.logEvents({ logGroupName, logStreamName, events });
    }
    aws.emulator.seed.logEvents({ logGroupName, logStreamName: 'silent', events: [] });
    const taskId = await aws.create(order);
    aws.emulator.clock.advance(5000);
    return { ...aws, taskId };
  }

  it('writes all streams of a task under the id of the task', async () => {
    await using aws = await exported();

    expect(await aws.keys('exportedlogs/')).toEqual([
      `exportedlogs/${aws.taskId}/web/000000.gz`,
      `exportedlogs/${aws.taskId}/worker/000000.gz`,
    ]);
  });

  it('writes the write test under the prefix', async () => {
    await using aws = await exported({ destinationPrefix: 'daily' });

    expect(await aws.keys('aws')).toEqual([]);
    expect(await aws.keys('daily/aws')).toEqual(['daily/aws-logs-write-test']);
  });

  it('honours logStreamNamePrefix and writes no empty files', async () => {
    await using aws = await exported({ logStreamNamePrefix: 'w' });
    await using silent = await exported({ logStreamNamePrefix: 'silent' });

    expect(await aws.keys('exportedlogs/')).toHaveLength(2);
    expect(await silent.keys('exportedlogs/')).toEqual([]);
  });

  it('writes times in UTC with milliseconds in every time zone', async () => {
    vi.stubEnv('TZ', 'Asia/Tokyo');
    await using aws = await exported();
    const [Key] = await aws.keys('exportedlogs/');

    const { text } = await aws.get(Key);

    expect(text).toBe('2026-03-01T11:59:59.123Z paid\n');
    vi.unstubAllEnvs();
  });

  it('checks the Region and the policy of the bucket', async () => {
    await using aws = await openAws();
    aws.emulator.seed.bucket({ bucket: 'far-away', region: 'eu-west-1' });
    aws.emulator.seed.bucket({ bucket: 'closed', policy: null });

    expect(await refusal(aws.create({ destination: 'far-away' }))).toBeDefined();
    expect(await refusal(aws.create({ destination: 'closed' }))).toBeDefined();
  });

  it('has one slot, a rate limit, and tasks that take time', async () => {
    await using aws = await openAws({ rateLimits: 'aws' });
    const taskId = await aws.create();

    expect((await aws.describe(taskId))?.status?.code).toBe('PENDING');
    const refusals = [];
    for (let call = 0; call < 5; call += 1) refusals.push(await refusal(aws.create()));
    expect(refusals.map((one) => one?.name)).toEqual([
      ...Array(4).fill('LimitExceededException'),
      'ThrottlingException',
    ]);
  });

  it('uses only the status codes of AWS', async () => {
    await using aws = await exported({ from: startAt, to: startAt - 1000 });

    expect((await aws.describe(aws.taskId))?.status?.code).toBe('COMPLETED');
  });

  it('validates parameters, up to 64 bits', async () => {
    await using aws = await openAws();
    const { url } = aws.emulator;
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

  it('lists newest first with filters, pages and executionInfo, and an empty list for an unknown task', async () => {
    await using aws = await openAws();
    const ids = aws.emulator.seed.finishedTasks({ count: 3 });
    const list = (input: object) => aws.logs.send(new DescribeExportTasksCommand(input));

    const page = await list({ statusCode: 'COMPLETED', limit: 2 });

    expect(page.exportTasks?.map(({ taskId }) => taskId)).toEqual(ids.slice(1).toReversed());
    expect(page.exportTasks?.[0]?.executionInfo?.creationTime).toBeTypeOf('number');
    expect(page.exportTasks?.[0]).not.toHaveProperty('taskName');
    expect((await list({ nextToken: page.nextToken })).exportTasks).toHaveLength(1);
    expect((await list({ taskId: 'none' })).exportTasks).toEqual([]);
  });

  it('rejects the cancellation of a finished task', async () => {
    await using aws = await exported();
    const { taskId } = aws;

    const refused = await refusal(aws.logs.send(new CancelExportTaskCommand({ taskId })));

    expect(refused?.name).toBe('InvalidOperationException');
    expect((await aws.describe(taskId))?.status?.code).toBe('COMPLETED');
  });
});
