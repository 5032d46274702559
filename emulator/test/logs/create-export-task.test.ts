import {
  CreateExportTaskCommand,
  DescribeExportTasksCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { openBench, refusal, sendLogs, startAt } from '../bench.ts';

describe('CreateExportTask', () => {
  it('answers a UUID and starts PENDING, without message and with the default prefix', async () => {
    await using bench = await openBench();

    const taskId = await bench.create();

    expect(taskId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await bench.describe(taskId)).toEqual({
      ...bench.order,
      taskId,
      destinationPrefix: 'exportedlogs',
      status: { code: 'PENDING' },
      executionInfo: { creationTime: startAt },
    });
  });

  it('goes from PENDING over RUNNING to COMPLETED by the clock alone', async () => {
    await using bench = await openBench();
    const taskId = await bench.create();

    bench.emulator.clock.advance(500);
    const running = await bench.describe(taskId);
    bench.emulator.clock.advance(86_400_000);
    const completed = await bench.describe(taskId);

    expect(running?.status).toEqual({ code: 'RUNNING', message: 'Started Successfully' });
    expect(running?.executionInfo).toEqual({ creationTime: startAt });
    expect(completed?.status).toEqual({ code: 'COMPLETED', message: 'Completed successfully' });
    expect(completed?.executionInfo).toEqual({
      creationTime: startAt,
      completionTime: startAt + 1500,
    });
  });

  it('shows taskName and destinationPrefix, and never logStreamNamePrefix', async () => {
    await using bench = await openBench();

    const taskId = await bench.create({
      taskName: 'nightly',
      destinationPrefix: 'a/b',
      logStreamNamePrefix: 'web',
    });

    const shown = await bench.describe(taskId);
    expect(shown).toMatchObject({ taskName: 'nightly', destinationPrefix: 'a/b' });
    expect(shown).not.toHaveProperty('logStreamNamePrefix');
  });

  it.each(['1152921504606846976', '9223372036854775807', '9007199254740993', '0'])(
    'keeps every digit of %s',
    async (to) => {
      await using bench = await openBench();
      const { url } = bench.emulator;
      const input = { ...bench.order, from: 0, to: undefined };
      const json = JSON.stringify(input).replace('}', `,"to":${to}}`);

      const created = await sendLogs(url, 'CreateExportTask', json);
      const described = await sendLogs(url, 'DescribeExportTasks', '{}');

      expect(created.status).toBe(200);
      expect(described.text).toContain(`"to":${to},`);
    },
  );

  it('refuses a second task while one is PENDING or RUNNING', async () => {
    await using bench = await openBench();
    await bench.create();
    const limit = {
      name: 'LimitExceededException',
      message: 'Resource limit exceeded.',
      status: 400,
    };

    expect(await refusal(bench.create())).toEqual(limit);
    bench.emulator.clock.advance(500);
    expect(await refusal(bench.create())).toEqual(limit);
    bench.emulator.clock.advance(1000);

    expect(await refusal(bench.create())).toBeUndefined();
  });

  it('counts the active tasks of each account and Region apart', async () => {
    await using bench = await openBench({ accountsByAccessKey: { AKIAOTHER: '210987654321' } });
    const other = { accessKeyId: 'AKIAOTHER', secretAccessKey: 'secret' };
    const { seed } = bench.emulator;
    seed.foreignTask({ durationMs: 1000 });
    seed.foreignTask({ durationMs: 1000, region: 'eu-west-1', accountId: '210987654321' });

    const tasksOf = async (keys: typeof other | undefined, region: string) => {
      const answer = await bench.logsFor(keys, region).send(new DescribeExportTasksCommand({}));
      return answer.exportTasks?.length;
    };

    expect(await tasksOf(undefined, 'us-east-1')).toBe(1);
    expect(await tasksOf(undefined, 'eu-west-1')).toBe(0);
    expect(await tasksOf(other, 'eu-west-1')).toBe(1);
    expect(await tasksOf(other, 'us-east-1')).toBe(0);
  });

  it('looks at the bucket before the group, unless told otherwise', async () => {
    await using bench = await openBench();
    await using other = await openBench({ checkOrder: ['logGroup', 'bucket'] });
    const bad = { logGroupName: '/none', destination: 'none' };

    expect(await refusal(bench.create(bad))).toEqual({
      name: 'InvalidParameterException',
      message: 'The given bucket does not exist. Please make sure the bucket is valid.',
      status: 400,
    });
    expect(await refusal(bench.create({ logGroupName: '/none' }))).toEqual({
      name: 'ResourceNotFoundException',
      message: 'The specified log group does not exist.',
      status: 400,
    });
    expect(await refusal(other.create(bad))).toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('refuses a bucket in another Region, unless told otherwise', async () => {
    await using bench = await openBench();
    await using lenient = await openBench({ otherRegionBucket: 'accept' });
    bench.emulator.seed.bucket({ bucket: 'far-away', region: 'eu-west-1' });
    lenient.emulator.seed.bucket({ bucket: 'far-away', region: 'eu-west-1' });

    expect(await refusal(bench.create({ destination: 'far-away' }))).toMatchObject({
      name: 'InvalidParameterException',
      message: 'The given bucket is not in the same Region as the log group.',
    });
    expect(await refusal(lenient.create({ destination: 'far-away' }))).toBeUndefined();
  });

  it('accepts what AWS is not known to refuse, and refuses it as an option', async () => {
    const strictly = 'refuse' as const;
    await using lenient = await openBench({ activeTaskLimit: Infinity });
    await using strict = await openBench({
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

  it('accepts a range before the group was created and completes it empty', async () => {
    await using bench = await openBench();

    const taskId = await bench.create({ from: 1611316574, to: 1642852574 });
    bench.emulator.clock.advance(2000);

    expect((await bench.describe(taskId))?.status?.code).toBe('COMPLETED');
    expect(await bench.keys()).toEqual(['aws-logs-write-test']);
  });

  it('cannot write under a prefix longer than a key may be', async () => {
    await using bench = await openBench();

    const refused = await refusal(bench.create({ destinationPrefix: 'é'.repeat(503) }));

    expect(refused?.message).toContain('PutObject call on the given bucket failed.');
    expect(await refusal(bench.create({ destinationPrefix: 'é'.repeat(502) }))).toBeUndefined();
  });

  it('fails a task that is active for 24 hours', async () => {
    await using bench = await openBench({ runningMs: 30 * 3_600_000 });
    const taskId = await bench.create();

    bench.emulator.clock.advance(24 * 3_600_000);

    expect(await bench.describe(taskId)).toMatchObject({
      status: { code: 'FAILED', message: 'FAILED' },
      executionInfo: { completionTime: startAt + 24 * 3_600_000 },
    });
  });

  it('allows five calls a second to each operation and refills with the clock', async () => {
    await using bench = await openBench({ rateLimits: 'aws', activeTaskLimit: Infinity });
    for (let call = 0; call < 5; call += 1) await bench.create();

    expect(await refusal(bench.create())).toEqual({
      name: 'ThrottlingException',
      message: 'Rate exceeded',
      status: 400,
    });
    expect(await refusal(bench.describe('any'))).toBeUndefined();
    bench.emulator.clock.advance(200);
    expect(await refusal(bench.create())).toBeUndefined();
    expect(await refusal(bench.create())).toMatchObject({ name: 'ThrottlingException' });
  });

  it('takes other rate limits by operation', async () => {
    await using bench = await openBench({ rateLimits: { DescribeExportTasks: 1 } });

    expect(await refusal(bench.describe('any'))).toBeUndefined();
    expect(await refusal(bench.describe('any'))).toMatchObject({ name: 'ThrottlingException' });
  });
});

it('draws for each task how long it runs, the same for the same seed', async () => {
  const durationsOf = async (randomSeed: number) => {
    await using bench = await openBench({
      pendingMs: 0,
      runningMs: [100, 200],
      randomSeed,
      activeTaskLimit: Infinity,
    });
    for (let task = 0; task < 10; task += 1) await bench.create();
    bench.emulator.clock.advance(200);
    return bench.emulator
      .exportTasks()
      .map(({ createdAt, finishedAt = Infinity }) => finishedAt - createdAt);
  };

  const durations = await durationsOf(7);

  expect(durations.every((ms) => ms >= 100 && ms <= 200)).toBe(true);
  expect(new Set(durations).size).toBeGreaterThan(5);
  expect(await durationsOf(7)).toEqual(durations);
  expect(await durationsOf(8)).not.toEqual(durations);
});

it('makes thousands of tasks while the clock is turned', async () => {
  await using bench = await openBench({ activeTaskLimit: Infinity });
  const { logs, order, emulator } = bench;
  const orders = Array.from({ length: 300 }, () => logs.send(new CreateExportTaskCommand(order)));

  await Promise.all(orders);
  emulator.clock.advance(1500);

  expect(emulator.exportTasks().every(({ status }) => status === 'COMPLETED')).toBe(true);
});
