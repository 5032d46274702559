import { DescribeExportTasksCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { arrival, createUnder, onCreate, openAws, refusal, startAt } from './aws.ts';

describe('a fault of the operation', () => {
  it.each(['reset', 'silence'] as const)(
    'late-effect creates the task after its delay, after a %s',
    async (meanwhile) => {
      await using aws = await openAws();
      const { emulator, create } = aws;
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
    },
  );

  it('late-effect creates no task when another task has the slot by then', async () => {
    await using aws = await openAws();
    const { emulator, create } = aws;
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

  it('stall-body keeps the connection open after half of the body', async () => {
    await using aws = await openAws();
    aws.emulator.faults.add({ ...onCreate, kind: 'stall-body' });
    const giveUp = new AbortController();
    const answer = await fetch(aws.emulator.url, {
      method: 'POST',
      body: JSON.stringify(aws.order),
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
    expect(aws.emulator.exportTasks()).toHaveLength(1);
  });

  it('stale-listing hides young tasks', async () => {
    await using aws = await openAws();
    const stale = { operation: 'DescribeExportTasks', kind: 'stale-listing' } as const;
    aws.emulator.faults.add({ ...stale, lagMs: 1000, count: 3 });
    const taskId = await aws.create();
    const list = async () =>
      (await aws.logs.send(new DescribeExportTasksCommand({}))).exportTasks?.length;

    expect(await list()).toBe(0);
    expect(await aws.describe(taskId)).toBeUndefined();
    aws.emulator.clock.advance(1000);
    expect(await list()).toBe(1);
  });

  it('foreign-task takes the slot just before the create', async () => {
    const { seen, tasks } = await createUnder({
      ...onCreate,
      kind: 'foreign-task',
      durationMs: 50,
    });

    expect(seen?.name).toBe('LimitExceededException');
    expect(tasks).toBe(1);
  });

  it('task-fails ends the task FAILED after its time', async () => {
    await using aws = await openAws();
    aws.emulator.faults.add({ ...onCreate, kind: 'task-fails' });
    const taskId = await aws.create();

    aws.emulator.clock.advance(1000);
    expect((await aws.describe(taskId))?.status?.code).toBe('RUNNING');
    aws.emulator.clock.advance(500);

    expect(await aws.describe(taskId)).toMatchObject({
      status: { code: 'FAILED', message: 'FAILED' },
      executionInfo: { completionTime: startAt + 1500 },
    });
  });
});
