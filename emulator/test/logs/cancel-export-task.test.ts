import { CancelExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { openBench, refusal, sendLogs, startAt } from '../bench.ts';

const cancel = (taskId: string) => new CancelExportTaskCommand({ taskId });

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
