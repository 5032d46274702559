import { PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openEmulator } from '../src/emulator.ts';
import { logGroupName, openAws, refusal, startAt } from './aws.ts';

describe('the clock', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
    return () => vi.useRealTimers();
  });

  it('stands still at startAt until it is changed', async () => {
    await using emulator = await openEmulator({ startAt });
    const { clock } = emulator;

    vi.setSystemTime(2_000_000);
    expect(clock.now()).toBe(startAt);
    clock.advance(1000);
    expect(clock.now()).toBe(startAt + 1000);
    clock.set(7);
    expect(clock.now()).toBe(7);
  });

  it('runs in real time otherwise, shifted by changes', async () => {
    await using emulator = await openEmulator();
    const { clock } = emulator;

    expect(clock.now()).toBe(1_000_000);
    clock.advance(500);
    vi.setSystemTime(2_000_000);
    expect(clock.now()).toBe(2_000_500);
    clock.set(7);
    vi.setSystemTime(2_000_001);
    expect(clock.now()).toBe(8);
  });

  it('undoes nothing when it is set back', async () => {
    await using aws = await openAws();
    const taskId = await aws.create();

    aws.emulator.clock.advance(5000);
    aws.emulator.clock.set(startAt);

    expect((await aws.describe(taskId))?.status?.code).toBe('COMPLETED');
  });
});

describe('the journal', () => {
  it('records caller, operation, Region, attempt and outcome of each request', async () => {
    await using aws = await openAws();

    const taskId = await aws.create({ from: 0 });
    await refusal(aws.create());

    const common = {
      at: startAt,
      service: 'logs',
      operation: 'CreateExportTask',
      accountId: '123456789012',
      region: 'us-east-1',
      accessKeyId: 'AKIATEST',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      invocationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      attempt: 'attempt=1; max=1',
    };
    expect(aws.emulator.journal.entries()).toEqual([
      {
        ...common,
        input: { ...aws.order, from: 0 },
        status: 200,
        errorCode: undefined,
        effect: { kind: 'task-created', taskId },
        fault: undefined,
      },
      {
        ...common,
        input: aws.order,
        status: 400,
        errorCode: 'LimitExceededException',
        effect: undefined,
        fault: undefined,
      },
    ]);
  });

  it('records the number of log events instead of the events', async () => {
    await using aws = await openAws();
    const logEvents = [{ timestamp: startAt, message: 'x' }];
    aws.emulator.seed.logEvents({ logGroupName, logStreamName: 's', events: [] });

    await aws.logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: 's', logEvents }));

    expect(aws.emulator.journal.entries()).toMatchObject([
      { input: { logGroupName, logEvents: 1 }, effect: { kind: 'log-events-stored', count: 1 } },
    ]);
  });

  it('keeps the latest entries up to journalLimit', async () => {
    await using aws = await openAws({ journalLimit: 2 });

    for (const taskId of ['1', '2', '3', '4']) await aws.describe(taskId);

    const inputs = aws.emulator.journal.entries().map(({ input }) => input);
    expect(inputs).toEqual([{ taskId: '3' }, { taskId: '4' }]);
    aws.emulator.journal.clear();
    expect(aws.emulator.journal.entries()).toEqual([]);
  });
});

describe('the controls over HTTP', () => {
  async function openControls() {
    const aws = await openAws();
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${aws.emulator.url}/_emulator/${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: response.status, json: await response.json() };
    };
    return { ...aws, call };
  }

  it('read and change the clock', async () => {
    await using aws = await openControls();

    expect(await aws.call('GET', 'clock')).toEqual({ status: 200, json: { now: startAt } });
    await aws.call('POST', 'clock', { advanceMs: 5 });
    expect(aws.emulator.clock.now()).toBe(startAt + 5);
    expect((await aws.call('POST', 'clock', { now: 9 })).json).toEqual({ now: 9 });
  });

  it('add, list and remove faults', async () => {
    await using aws = await openControls();
    const fault = { operation: '*', kind: 'reset-before', count: 2, skip: 1 };

    expect((await aws.call('POST', 'faults', fault)).status).toBe(200);
    expect((await aws.call('GET', 'faults')).json).toEqual([fault]);
    await aws.call('DELETE', 'faults');
    expect(aws.emulator.faults.pending()).toEqual([]);
  });

  it('list and remove journal entries, which do not include the controls', async () => {
    await using aws = await openControls();
    await aws.describe('any');

    expect((await aws.call('GET', 'journal')).json).toMatchObject([
      { operation: 'DescribeExportTasks', status: 200 },
    ]);
    await aws.call('DELETE', 'journal');
    expect((await aws.call('GET', 'journal')).json).toEqual([]);
  });

  it('seed data and list tasks', async () => {
    await using aws = await openControls();
    const seed = async (what: string, body: object) =>
      (await aws.call('POST', `seed/${what}`, body)).json;

    await seed('log-group', { logGroupName: '/seeded' });
    await seed('log-events', {
      logGroupName: '/seeded',
      logStreamName: 's',
      events: [{ timestamp: startAt, message: 'x' }],
    });
    await seed('bucket', { bucket: 'seeded-one' });
    expect(await seed('key', {})).toMatch(/^arn:aws:kms:us-east-1:123456789012:key\//);
    expect(await seed('finished-tasks', { count: 2 })).toHaveLength(2);
    const taskId = await seed('foreign-task', { durationMs: 1000 });
    await seed('task-failure', { taskId });
    await aws.create({ logGroupName: '/seeded', destination: 'seeded-one' });

    expect((await aws.call('GET', 'export-tasks')).json).toMatchObject([
      { status: 'COMPLETED' },
      { status: 'COMPLETED' },
      { taskId, status: 'FAILED' },
      { status: 'PENDING', destination: 'seeded-one' },
    ]);
  });

  it('read and change options, and restore a default with null', async () => {
    await using aws = await openControls();
    const change = async (changes: object) => (await aws.call('POST', 'options', changes)).json;

    expect(await change({ activeTaskLimit: 2, listedAfterMs: 5 })).toMatchObject({
      activeTaskLimit: 2,
      listedAfterMs: 5,
    });
    await aws.create();
    await aws.create();
    expect(await change({ activeTaskLimit: null })).toMatchObject({ activeTaskLimit: 1 });
    expect(await refusal(aws.create())).toMatchObject({ name: 'LimitExceededException' });
    expect((await aws.call('GET', 'options')).json).toMatchObject({
      activeTaskLimit: 1,
      listedAfterMs: 5,
      rateLimits: 'off',
    });
  });

  it('change the quotas of accounts in use', async () => {
    await using aws = await openControls();
    await aws.describe('any');

    await aws.call('POST', 'options', { rateLimits: { DescribeExportTasks: 1 } });

    await aws.describe('any');
    expect(await refusal(aws.describe('any'))).toMatchObject({ name: 'ThrottlingException' });
  });

  it.each([
    [{ weather: 'fine' }, 'has no option "weather"; it has host, port, '],
    [{ constructor: 1 }, 'has no option "constructor"'],
    [{ startAt: 1 }, 'startAt of the emulator can only be set at its start'],
    [{ pendingMs: -1 }, 'pendingMs of the emulator is -1, but must be a number of milliseconds'],
    [{ roles: { a: { externalID: 'x' } } }, 'must be objects with externalId or refuses'],
    [{ checkOrder: ['luck'] }, 'must be a list out of bucket, bucketRegion'],
    [{ runningMs: [1] }, 'must be a number of milliseconds, or the least and the most'],
    [{ runningMs: [9, 1] }, 'must be a number of milliseconds, or the least and the most'],
    [{ shownStatusCodes: { LOST: 'x' } }, 'must be texts by status code'],
    [{ emptyPages: 'often' }, 'must be one of never, last, everywhere'],
  ])('reject the options %j', async (changes, reason) => {
    await using aws = await openControls();

    const { status, json } = await aws.call('POST', 'options', changes);

    expect([status, json]).toEqual([400, { message: expect.stringContaining(reason) }]);
  });

  it('reject unknown routes and invalid bodies', async () => {
    await using aws = await openControls();

    expect((await aws.call('GET', 'weather')).status).toBe(404);
    expect((await aws.call('POST', 'faults', { kind: 'earthquake' })).status).toBe(400);
    expect((await aws.call('POST', 'seed/bucket', { bucket: '..' })).status).toBe(400);
    expect((await aws.call('POST', 'seed/bucket', { x: 1 })).status).toBe(400);
    expect((await aws.call('POST', 'faults', [])).json).toEqual({
      message: 'The body must be a JSON object.',
    });
    expect((await aws.call('POST', 'clock', { advance: 1 })).json).toEqual({
      message: 'The change of the clock has no member "advance"; it has advanceMs, now.',
    });
  });
});
