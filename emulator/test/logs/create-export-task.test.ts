import {
  CreateExportTaskCommand,
  DescribeExportTasksCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { openAws, refusal, sendLogs, startAt } from '../aws.ts';

describe('CreateExportTask', () => {
  it('returns a UUID and starts PENDING, without message and with the default prefix', async () => {
    await using aws = await openAws();

    const taskId = await aws.create();

    expect(taskId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await aws.describe(taskId)).toEqual({
      ...aws.order,
      taskId,
      destinationPrefix: 'exportedlogs',
      status: { code: 'PENDING' },
      executionInfo: { creationTime: startAt },
    });
  });

  it('goes through PENDING and RUNNING to COMPLETED by the clock', async () => {
    await using aws = await openAws();
    const taskId = await aws.create();

    aws.emulator.clock.advance(500);
    const running = await aws.describe(taskId);
    aws.emulator.clock.advance(86_400_000);
    const completed = await aws.describe(taskId);

    expect(running?.status).toEqual({ code: 'RUNNING', message: 'Started Successfully' });
    expect(running?.executionInfo).toEqual({ creationTime: startAt });
    expect(completed?.status).toEqual({ code: 'COMPLETED', message: 'Completed successfully' });
    expect(completed?.executionInfo).toEqual({
      creationTime: startAt,
      completionTime: startAt + 1500,
    });
  });

  it('shows taskName and destinationPrefix, and never logStreamNamePrefix', async () => {
    await using aws = await openAws();

    const taskId = await aws.create({
      taskName: 'nightly',
      destinationPrefix: 'a/b',
      logStreamNamePrefix: 'web',
    });

    const shown = await aws.describe(taskId);
    expect(shown).toMatchObject({ taskName: 'nightly', destinationPrefix: 'a/b' });
    expect(shown).not.toHaveProperty('logStreamNamePrefix');
  });

  it.each(['1152921504606846976', '9223372036854775807', '9007199254740993', '0'])(
    'keeps every digit of %s',
    async (to) => {
      await using aws = await openAws();
      const { url } = aws.emulator;
      const input = { ...aws.order, from: 0, to: undefined };
      const json = JSON.stringify(input).replace('}', `,"to":${to}}`);

      const created = await sendLogs(url, 'CreateExportTask', json);
      const described = await sendLogs(url, 'DescribeExportTasks', '{}');

      expect(created.status).toBe(200);
      expect(described.text).toContain(`"to":${to},`);
    },
  );

  it('rejects a second task while one is PENDING or RUNNING', async () => {
    await using aws = await openAws();
    await aws.create();
    const limit = {
      name: 'LimitExceededException',
      message: 'Resource limit exceeded.',
      status: 400,
    };

    expect(await refusal(aws.create())).toEqual(limit);
    aws.emulator.clock.advance(500);
    expect(await refusal(aws.create())).toEqual(limit);
    aws.emulator.clock.advance(1000);

    expect(await refusal(aws.create())).toBeUndefined();
  });

  it('counts active tasks by account and Region', async () => {
    await using aws = await openAws({ accountsByAccessKey: { AKIAOTHER: '210987654321' } });
    const other = { accessKeyId: 'AKIAOTHER', secretAccessKey: 'secret' };
    const { seed } = aws.emulator;
    seed.foreignTask({ durationMs: 1000 });
    seed.foreignTask({ durationMs: 1000, region: 'eu-west-1', accountId: '210987654321' });

    const tasksOf = async (keys: typeof other | undefined, region: string) => {
      const answer = await aws.logsFor(keys, region).send(new DescribeExportTasksCommand({}));
      return answer.exportTasks?.length;
    };

    expect(await tasksOf(undefined, 'us-east-1')).toBe(1);
    expect(await tasksOf(undefined, 'eu-west-1')).toBe(0);
    expect(await tasksOf(other, 'eu-west-1')).toBe(1);
    expect(await tasksOf(other, 'us-east-1')).toBe(0);
  });

  it('checks the bucket before the group, unless checkOrder differs', async () => {
    await using aws = await openAws();
    await using other = await openAws({ checkOrder: ['logGroup', 'bucket'] });
    const bad = { logGroupName: '/none', destination: 'none' };

    expect(await refusal(aws.create(bad))).toEqual({
      name: 'InvalidParameterException',
      message: 'The given bucket does not exist. Please make sure the bucket is valid.',
      status: 400,
    });
    expect(await refusal(aws.create({ logGroupName: '/none' }))).toEqual({
      name: 'ResourceNotFoundException',
      message: 'The specified log group does not exist.',
      status: 400,
    });
    expect(await refusal(other.create(bad))).toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('rejects a bucket in another Region, unless otherRegionBucket is accept', async () => {
    await using aws = await openAws();
    await using lenient = await openAws({ otherRegionBucket: 'accept' });
    aws.emulator.seed.bucket({ bucket: 'far-away', region: 'eu-west-1' });
    lenient.emulator.seed.bucket({ bucket: 'far-away', region: 'eu-west-1' });

    expect(await refusal(aws.create({ destination: 'far-away' }))).toMatchObject({
      name: 'InvalidParameterException',
      message: 'The given bucket is not in the same Region as the log group.',
    });
    expect(await refusal(lenient.create({ destination: 'far-away' }))).toBeUndefined();
  });

  it('rejects fromAfterTo, repeatedTaskName and nonStandardLogClass only as options', async () => {
    const strictly = 'refuse' as const;
    await using lenient = await openAws({ activeTaskLimit: Infinity });
    await using strict = await openAws({
      activeTaskLimit: Infinity,
      fromAfterTo: strictly,
      repeatedTaskName: strictly,
      nonStandardLogClass: strictly,
    });
    const answers = async ({ create, emulator }: typeof lenient) => {
      emulator.seed.logGroup({ logGroupName: '/rare', logGroupClass: 'INFREQUENT_ACCESS' });
      await create({ taskName: 'same' });
      const backwards = await refusal(create({ from: startAt, to: startAt - 1 }));
      const repeated = await refusal(create({ taskName: 'same' }));
      const rare = await refusal(create({ logGroupName: '/rare' }));
      return [backwards?.name, repeated?.name, rare?.name];
    };

    expect(await answers(lenient)).toEqual([undefined, undefined, undefined]);
    expect(await answers(strict)).toEqual([
      'InvalidParameterException',
      'ResourceAlreadyExistsException',
      'InvalidParameterException',
    ]);
  });

  it('completes a range before the creation of the group without objects', async () => {
    await using aws = await openAws();

    const taskId = await aws.create({ from: 1611316574, to: 1642852574 });
    aws.emulator.clock.advance(2000);

    expect((await aws.describe(taskId))?.status?.code).toBe('COMPLETED');
    expect(await aws.keys()).toEqual(['aws-logs-write-test']);
  });

  it('rejects a prefix that makes the key too long', async () => {
    await using aws = await openAws();

    const refused = await refusal(aws.create({ destinationPrefix: 'é'.repeat(503) }));

    expect(refused?.message).toContain('PutObject call on the given bucket failed.');
    expect(await refusal(aws.create({ destinationPrefix: 'é'.repeat(502) }))).toBeUndefined();
  });

  it('ends a task FAILED after 24 hours', async () => {
    await using aws = await openAws({ runningMs: 30 * 3_600_000 });
    const taskId = await aws.create();

    aws.emulator.clock.advance(24 * 3_600_000);

    expect(await aws.describe(taskId)).toMatchObject({
      status: { code: 'FAILED', message: 'FAILED' },
      executionInfo: { completionTime: startAt + 24 * 3_600_000 },
    });
  });

  it('allows five calls per second of each operation, by its clock', async () => {
    await using aws = await openAws({ rateLimits: 'aws', activeTaskLimit: Infinity });
    for (let call = 0; call < 5; call += 1) await aws.create();

    expect(await refusal(aws.create())).toEqual({
      name: 'ThrottlingException',
      message: 'Rate exceeded',
      status: 400,
    });
    expect(await refusal(aws.describe('any'))).toBeUndefined();
    aws.emulator.clock.advance(200);
    expect(await refusal(aws.create())).toBeUndefined();
    expect(await refusal(aws.create())).toMatchObject({ name: 'ThrottlingException' });
  });

  it('allows other rate limits by operation', async () => {
    await using aws = await openAws({ rateLimits: { DescribeExportTasks: 1 } });

    expect(await refusal(aws.describe('any'))).toBeUndefined();
    expect(await refusal(aws.describe('any'))).toMatchObject({ name: 'ThrottlingException' });
  });
});

it('gives each task a random running time, the same for the same seed', async () => {
  const durationsOf = async (randomSeed: number) => {
    await using aws = await openAws({
      pendingMs: 0,
      runningMs: [100, 200],
      randomSeed,
      activeTaskLimit: Infinity,
    });
    for (let task = 0; task < 10; task += 1) await aws.create();
    aws.emulator.clock.advance(200);
    return aws.emulator
      .exportTasks()
      .map(({ createdAt, finishedAt = Infinity }) => finishedAt - createdAt);
  };

  const durations = await durationsOf(7);

  expect(durations.every((ms) => ms >= 100 && ms <= 200)).toBe(true);
  expect(new Set(durations).size).toBeGreaterThan(5);
  expect(await durationsOf(7)).toEqual(durations);
  expect(await durationsOf(8)).not.toEqual(durations);
});

it('creates thousands of tasks while the clock advances', async () => {
  await using aws = await openAws({ activeTaskLimit: Infinity });
  const { logs, order, emulator } = aws;
  const orders = Array.from({ length: 300 }, () => logs.send(new CreateExportTaskCommand(order)));

  await Promise.all(orders);
  emulator.clock.advance(1500);

  expect(emulator.exportTasks().every(({ status }) => status === 'COMPLETED')).toBe(true);
});
