import {
  CancelExportTaskCommand,
  CreateExportTaskCommand,
  DescribeExportTasksCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { bucket, openBench, refusal, sendLogs, startAt } from '../bench.ts';

const cancel = (taskId: string) => new CancelExportTaskCommand({ taskId });

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

describe('CancelExportTask', () => {
  it('answers an empty body and leads over PENDING_CANCEL to CANCELLED', async () => {
    await using bench = await openBench();
    const taskId = await bench.create();

    const answer = await sendLogs(
      bench.emulator.url,
      'CancelExportTask',
      JSON.stringify({ taskId }),
    );
    const cancelling = await bench.describe(taskId);
    bench.emulator.clock.advance(86_400_000);
    const cancelled = await bench.describe(taskId);

    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(cancelling?.status).toEqual({ code: 'PENDING_CANCEL' });
    expect(cancelled?.status).toEqual({ code: 'CANCELLED' });
    expect(cancelled?.executionInfo?.completionTime).toBe(startAt + 100);
    expect(await bench.keys('exportedlogs/')).toEqual([]);
  });

  it('stops a RUNNING task too and shows the messages it is told to', async () => {
    await using bench = await openBench({
      pendingCancelMessage: 'Cancelling',
      cancelledMessage: 'Cancelled',
    });
    const taskId = await bench.create();
    bench.emulator.clock.advance(700);

    await bench.logs.send(cancel(taskId));
    const cancelling = await bench.describe(taskId);
    bench.emulator.clock.advance(100);

    expect(cancelling?.status).toEqual({ code: 'PENDING_CANCEL', message: 'Cancelling' });
    expect((await bench.describe(taskId))?.status).toEqual({
      code: 'CANCELLED',
      message: 'Cancelled',
    });
  });

  it.each(['COMPLETED', 'CANCELLED', 'FAILED'])('refuses a %s task', async (ending) => {
    await using bench = await openBench();
    const taskId = await bench.create();
    if (ending === 'CANCELLED') await bench.logs.send(cancel(taskId));
    if (ending === 'FAILED') bench.emulator.seed.taskFailure({ taskId });
    bench.emulator.clock.advance(5000);

    const refused = await refusal(bench.logs.send(cancel(taskId)));

    expect((await bench.describe(taskId))?.status?.code).toBe(ending);
    expect(refused).toEqual({
      name: 'InvalidOperationException',
      message: 'The specified export task has already finished',
      status: 400,
    });
  });

  it('refuses an unknown task of whatever id', async () => {
    await using bench = await openBench();

    expect(await refusal(bench.logs.send(cancel('no uuid')))).toEqual({
      name: 'ResourceNotFoundException',
      message: 'The specified export task does not exist.',
      status: 400,
    });
  });

  it('frees the slot at once and refuses a second cancel, unless told otherwise', async () => {
    await using bench = await openBench();
    await using other = await openBench({
      pendingCancelHoldsSlot: true,
      pendingCancelIsCancellable: true,
    });
    const outcomes = async ({ create, logs, emulator }: typeof bench) => {
      const taskId = await create();
      await logs.send(cancel(taskId));
      const again = await refusal(logs.send(cancel(taskId)));
      const next = await refusal(create());
      emulator.clock.advance(100);
      return [again?.name, next?.name];
    };

    expect(await outcomes(bench)).toEqual(['InvalidOperationException', undefined]);
    expect(await outcomes(other)).toEqual([undefined, 'LimitExceededException']);
    expect(await refusal(other.create())).toBeUndefined();
  });
});

describe('the seed', () => {
  it('ends only active tasks FAILED', async () => {
    await using bench = await openBench();
    const { seed } = bench.emulator;
    const [taskId = ''] = seed.finishedTasks({ count: 1 });

    expect(() => seed.taskFailure({ taskId })).toThrow('is not active');
    expect(() => seed.taskFailure({ taskId: 'none' })).toThrow('no export task');
  });

  it('takes the slot for a task of somebody else as long as it runs', async () => {
    await using bench = await openBench();
    const taskId = bench.emulator.seed.foreignTask({
      durationMs: 60_000,
      order: { taskName: 'theirs' },
    });

    expect(await refusal(bench.create())).toMatchObject({ name: 'LimitExceededException' });
    bench.emulator.clock.advance(60_000);

    expect(await bench.describe(taskId)).toMatchObject({
      taskName: 'theirs',
      status: { code: 'COMPLETED' },
    });
    expect(await refusal(bench.create())).toBeUndefined();
  });

  it('shows every task of every account and Region', async () => {
    await using bench = await openBench();
    const taskId = await bench.create();
    bench.emulator.seed.foreignTask({ durationMs: 1, region: 'eu-west-1' });
    bench.emulator.clock.advance(5000);

    const tasks = bench.emulator.exportTasks();

    expect(tasks).toMatchObject([
      { taskId, region: 'us-east-1', status: 'COMPLETED', destination: bucket },
      { region: 'eu-west-1', status: 'COMPLETED' },
    ]);
  });
});

it('makes thousands of tasks while the clock is turned', async () => {
  await using bench = await openBench({ activeTaskLimit: Infinity });
  const { logs, order, emulator } = bench;
  const orders = Array.from({ length: 300 }, () => logs.send(new CreateExportTaskCommand(order)));

  await Promise.all(orders);
  emulator.clock.advance(1500);

  expect(emulator.exportTasks().every(({ status }) => status === 'COMPLETED')).toBe(true);
});
