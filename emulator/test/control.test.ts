import { PutLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { openEmulator } from '../src/emulator.ts';
import { openServer } from '../src/wire/server.ts';
import { logGroupName, openBench, refusal, startAt } from './bench.ts';

describe('the clock', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
    return () => vi.useRealTimers();
  });

  it('stands still at startAt and moves only when turned', async () => {
    await using emulator = await openEmulator({ startAt });
    const { clock } = emulator;

    vi.setSystemTime(2_000_000);
    expect(clock.now()).toBe(startAt);
    clock.advance(1000);
    expect(clock.now()).toBe(startAt + 1000);
    clock.set(7);
    expect(clock.now()).toBe(7);
  });

  it('runs with real time otherwise, plus what it was turned', async () => {
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

  it('undoes nothing when turned back', async () => {
    await using bench = await openBench();
    const taskId = await bench.create();

    bench.emulator.clock.advance(5000);
    bench.emulator.clock.set(startAt);

    expect((await bench.describe(taskId))?.status?.code).toBe('COMPLETED');
  });
});

describe('the journal', () => {
  it('tells who asked what, from where, on which attempt, and what came of it', async () => {
    await using bench = await openBench();

    const taskId = await bench.create({ from: 0 });
    await refusal(bench.create());

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
    expect(bench.emulator.journal.entries()).toEqual([
      {
        ...common,
        input: { ...bench.order, from: 0 },
        status: 200,
        errorCode: undefined,
        effect: { kind: 'task-created', taskId },
        fault: undefined,
      },
      {
        ...common,
        input: bench.order,
        status: 400,
        errorCode: 'LimitExceededException',
        effect: undefined,
        fault: undefined,
      },
    ]);
  });

  it('keeps the number of events instead of the events', async () => {
    await using bench = await openBench();
    const logEvents = [{ timestamp: startAt, message: 'x' }];
    bench.emulator.seed.logEvents({ logGroupName, logStreamName: 's', events: [] });

    await bench.logs.send(new PutLogEventsCommand({ logGroupName, logStreamName: 's', logEvents }));

    expect(bench.emulator.journal.entries()).toMatchObject([
      { input: { logGroupName, logEvents: 1 }, effect: { kind: 'log-events-stored', count: 1 } },
    ]);
  });

  it('keeps the latest entries up to its limit', async () => {
    await using bench = await openBench({ journalLimit: 2 });

    for (const taskId of ['1', '2', '3', '4']) await bench.describe(taskId);

    const inputs = bench.emulator.journal.entries().map(({ input }) => input);
    expect(inputs).toEqual([{ taskId: '3' }, { taskId: '4' }]);
    bench.emulator.journal.clear();
    expect(bench.emulator.journal.entries()).toEqual([]);
  });
});

describe('over HTTP', () => {
  async function openControls() {
    const bench = await openBench();
    const call = async (method: string, path: string, body?: unknown) => {
      const response = await fetch(`${bench.emulator.url}/_emulator/${path}`, {
        method,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { status: response.status, json: await response.json() };
    };
    return { ...bench, call };
  }

  it('the clock is read and turned', async () => {
    await using bench = await openControls();

    expect(await bench.call('GET', 'clock')).toEqual({ status: 200, json: { now: startAt } });
    await bench.call('POST', 'clock', { advanceMs: 5 });
    expect(bench.emulator.clock.now()).toBe(startAt + 5);
    expect((await bench.call('POST', 'clock', { now: 9 })).json).toEqual({ now: 9 });
  });

  it('faults are added, read and cleared', async () => {
    await using bench = await openControls();
    const fault = { operation: '*', kind: 'reset-before', count: 2, skip: 1 };

    expect((await bench.call('POST', 'faults', fault)).status).toBe(200);
    expect((await bench.call('GET', 'faults')).json).toEqual([fault]);
    await bench.call('DELETE', 'faults');
    expect(bench.emulator.faults.pending()).toEqual([]);
  });

  it('the journal is read and cleared, and does not show the controls', async () => {
    await using bench = await openControls();
    await bench.describe('any');

    expect((await bench.call('GET', 'journal')).json).toMatchObject([
      { operation: 'DescribeExportTasks', status: 200 },
    ]);
    await bench.call('DELETE', 'journal');
    expect((await bench.call('GET', 'journal')).json).toEqual([]);
  });

  it('the world is seeded and its tasks are read', async () => {
    await using bench = await openControls();
    const seed = async (what: string, body: object) =>
      (await bench.call('POST', `seed/${what}`, body)).json;

    await seed('log-group', { logGroupName: '/seeded' });
    await seed('log-events', {
      logGroupName: '/seeded',
      logStreamName: 's',
      events: [{ timestamp: startAt, message: 'x' }],
    });
    await seed('bucket', { bucket: 'seeded-one' });
    expect(await seed('finished-tasks', { count: 2 })).toHaveLength(2);
    const taskId = await seed('foreign-task', { durationMs: 1000 });
    await seed('task-failure', { taskId });
    await bench.create({ logGroupName: '/seeded', destination: 'seeded-one' });

    expect((await bench.call('GET', 'export-tasks')).json).toMatchObject([
      { status: 'COMPLETED' },
      { status: 'COMPLETED' },
      { taskId, status: 'FAILED' },
      { status: 'PENDING', destination: 'seeded-one' },
    ]);
  });

  it('options are read and changed, and null brings a default back', async () => {
    await using bench = await openControls();
    const change = async (changes: object) => (await bench.call('POST', 'options', changes)).json;

    expect(await change({ activeTaskLimit: 2, listedAfterMs: 5 })).toMatchObject({
      activeTaskLimit: 2,
      listedAfterMs: 5,
    });
    await bench.create();
    await bench.create();
    expect(await change({ activeTaskLimit: null })).toMatchObject({ activeTaskLimit: 1 });
    expect(await refusal(bench.create())).toMatchObject({ name: 'LimitExceededException' });
    expect((await bench.call('GET', 'options')).json).toMatchObject({
      activeTaskLimit: 1,
      listedAfterMs: 5,
      rateLimits: 'off',
    });
  });

  it('the quotas of accounts that were used before change too', async () => {
    await using bench = await openControls();
    await bench.describe('any');

    await bench.call('POST', 'options', { rateLimits: { DescribeExportTasks: 1 } });

    await bench.describe('any');
    expect(await refusal(bench.describe('any'))).toMatchObject({ name: 'ThrottlingException' });
  });

  it.each([
    [{ weather: 'fine' }, 'has no option "weather"; it has host, port, '],
    [{ constructor: 1 }, 'has no option "constructor"'],
    [{ startAt: 1 }, 'startAt of the emulator can only be set at its start'],
    [{ pendingMs: -1 }, 'pendingMs of the emulator is -1, but must be a number of milliseconds'],
    [{ roles: { a: { externalID: 'x' } } }, 'must be objects with externalId or refuses'],
    [{ checkOrder: ['luck'] }, 'must be a list out of bucket, bucketRegion'],
    [{ runningMs: [1] }, 'must be a number of milliseconds, or the least and the most'],
    [{ shownStatusCodes: { LOST: 'x' } }, 'must be texts by status code'],
    [{ emptyPages: 'often' }, 'must be one of never, last, everywhere'],
  ])('the options %j are refused', async (changes, reason) => {
    await using bench = await openControls();

    const { status, json } = await bench.call('POST', 'options', changes);

    expect([status, json]).toEqual([400, { message: expect.stringContaining(reason) }]);
  });

  it('mistakes are told', async () => {
    await using bench = await openControls();

    expect((await bench.call('GET', 'weather')).status).toBe(404);
    expect((await bench.call('POST', 'faults', { kind: 'earthquake' })).status).toBe(400);
    expect((await bench.call('POST', 'seed/bucket', { bucket: '..' })).status).toBe(400);
  });
});

describe('the emulator', () => {
  it('does not open with an option it does not have', async () => {
    const options = { pendingMS: 5 } as object;

    await expect(openEmulator(options)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('no option "pendingMS"; it has '),
    });
  });

  it('opens on the port it is given and refuses one that is taken', async () => {
    await using first = await openEmulator();

    await expect(openEmulator({ port: first.port })).rejects.toThrow('EADDRINUSE');
    expect(first.url).toBe(`http://127.0.0.1:${first.port}`);
  });

  it('shows a defect of its own as 500 and goes on', async () => {
    let calls = 0;
    const server = await openServer({ host: '127.0.0.1', port: 0 }, async () => {
      calls += 1;
      throw new Error('a defect');
    });
    const url = `http://127.0.0.1:${server.port}`;

    const answers = [await fetch(url), await fetch(url)];
    await server.close();

    expect(answers.map(({ status }) => status)).toEqual([500, 500]);
    expect(await answers[0]?.text()).toBe('Error: a defect');
    expect(calls).toBe(2);
  });

  it('takes no event at a time no calendar has', async () => {
    await using bench = await openBench();
    const events = [{ timestamp: 9e15, message: 'x' }];

    expect(() =>
      bench.emulator.seed.logEvents({ logGroupName, logStreamName: 's', events }),
    ).toThrow('is not a date');
  });
});
