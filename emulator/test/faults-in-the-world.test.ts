import { DescribeExportTasksCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../src/emulator.ts';
import { arrival, openBench, refusal, startAt } from './bench.ts';

const onCreate = { operation: 'CreateExportTask' } as const;

/** One CreateExportTask that meets a fault: what the caller saw and what really happened. */
async function createUnder(fault: Fault, options: Parameters<typeof openBench>[0] = {}) {
  await using bench = await openBench(options);
  bench.emulator.faults.add(fault);
  const seen = await refusal(bench.create());
  const [entry] = bench.emulator.journal.entries();
  return { seen, tasks: bench.emulator.exportTasks().length, entry };
}

describe('the world', () => {
  it.each(['reset', 'silence'] as const)('acts later, after a %s', async (meanwhile) => {
    await using bench = await openBench();
    const { emulator, create } = bench;
    emulator.faults.add({ ...onCreate, kind: 'late-effect', delayMs: 5000, meanwhile });
    const lost = refusal(create());
    await arrival(emulator);
    emulator.journal.clear();

    emulator.clock.advance(4999);
    const early = emulator.exportTasks();
    emulator.clock.advance(3_600_000);
    const late = emulator.exportTasks();

    expect(early).toEqual([]);
    expect(late).toMatchObject([{ status: 'COMPLETED', createdAt: startAt + 5000 }]);
    expect(emulator.journal.entries()).toMatchObject([
      {
        at: startAt + 5000,
        operation: 'CreateExportTask',
        status: 'late',
        effect: { kind: 'task-created', taskId: late[0]?.taskId },
      },
    ]);
    if (meanwhile === 'reset') expect((await lost)?.message).toMatch(/ECONNRESET|hang up/);
  });

  it('acts later or not at all: the slot may be taken by then', async () => {
    await using bench = await openBench();
    const { emulator, create } = bench;
    emulator.faults.add({ ...onCreate, kind: 'late-effect', delayMs: 1000 });

    await refusal(create());
    await create();
    emulator.clock.advance(1000);

    expect(emulator.exportTasks()).toHaveLength(1);
    expect(emulator.journal.entries().at(-1)).toMatchObject({
      status: 'late',
      errorCode: 'LimitExceededException',
    });
  });

  it('stops in the middle of an answer and keeps the connection', async () => {
    await using bench = await openBench();
    bench.emulator.faults.add({ ...onCreate, kind: 'stall-body' });
    const giveUp = new AbortController();
    const answer = await fetch(bench.emulator.url, {
      method: 'POST',
      body: JSON.stringify(bench.order),
      signal: giveUp.signal,
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/logs/aws4_request,',
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'Logs_20140328.CreateExportTask',
      },
    });
    const reader = answer.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    const rest = reader?.read();
    giveUp.abort();

    expect(value?.length).toBe(Math.floor(Number(answer.headers.get('content-length')) / 2));
    await expect(rest).rejects.toThrow('aborted');
    expect(bench.emulator.exportTasks()).toHaveLength(1);
  });

  it('does not yet show young tasks', async () => {
    await using bench = await openBench();
    const stale = { operation: 'DescribeExportTasks', kind: 'stale-listing' } as const;
    bench.emulator.faults.add({ ...stale, lagMs: 1000, count: 3 });
    const taskId = await bench.create();
    const list = async () =>
      (await bench.logs.send(new DescribeExportTasksCommand({}))).exportTasks?.length;

    expect(await list()).toBe(0);
    expect(await bench.describe(taskId)).toBeUndefined();
    bench.emulator.clock.advance(1000);
    expect(await list()).toBe(1);
  });

  it('gives the slot to somebody else just before', async () => {
    const { seen, tasks } = await createUnder({
      ...onCreate,
      kind: 'foreign-task',
      durationMs: 50,
    });

    expect(seen?.name).toBe('LimitExceededException');
    expect(tasks).toBe(1);
  });

  it('lets a task fail after its time', async () => {
    await using bench = await openBench();
    bench.emulator.faults.add({ ...onCreate, kind: 'task-fails' });
    const taskId = await bench.create();

    bench.emulator.clock.advance(1000);
    expect((await bench.describe(taskId))?.status?.code).toBe('RUNNING');
    bench.emulator.clock.advance(500);

    expect(await bench.describe(taskId)).toMatchObject({
      status: { code: 'FAILED', message: 'FAILED' },
      executionInfo: { completionTime: startAt + 1500 },
    });
  });
});
