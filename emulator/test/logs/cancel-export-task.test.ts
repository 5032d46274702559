import { CancelExportTaskCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { openAws, refusal, sendLogs, startAt } from '../aws.ts';

const cancel = (taskId: string) => new CancelExportTaskCommand({ taskId });

describe('CancelExportTask', () => {
  it('returns an empty body, and the task goes through PENDING_CANCEL to CANCELLED', async () => {
    await using aws = await openAws();
    const taskId = await aws.create();

    const answer = await sendLogs(aws.emulator.url, 'CancelExportTask', JSON.stringify({ taskId }));
    const cancelling = await aws.describe(taskId);
    aws.emulator.clock.advance(86_400_000);
    const cancelled = await aws.describe(taskId);

    expect(answer).toMatchObject({ status: 200, text: '' });
    expect(cancelling?.status).toEqual({ code: 'PENDING_CANCEL' });
    expect(cancelled?.status).toEqual({ code: 'CANCELLED' });
    expect(cancelled?.executionInfo?.completionTime).toBe(startAt + 100);
    expect(await aws.keys('exportedlogs/')).toEqual([]);
  });

  it('cancels a RUNNING task, with the messages of the options', async () => {
    await using aws = await openAws({
      pendingCancelMessage: 'Cancelling',
      cancelledMessage: 'Cancelled',
    });
    const taskId = await aws.create();
    aws.emulator.clock.advance(700);

    await aws.logs.send(cancel(taskId));
    const cancelling = await aws.describe(taskId);
    aws.emulator.clock.advance(100);

    expect(cancelling?.status).toEqual({ code: 'PENDING_CANCEL', message: 'Cancelling' });
    expect((await aws.describe(taskId))?.status).toEqual({
      code: 'CANCELLED',
      message: 'Cancelled',
    });
  });

  it.each(['COMPLETED', 'CANCELLED', 'FAILED'])('rejects a %s task', async (ending) => {
    await using aws = await openAws();
    const taskId = await aws.create();
    if (ending === 'CANCELLED') await aws.logs.send(cancel(taskId));
    if (ending === 'FAILED') aws.emulator.seed.taskFailure({ taskId });
    aws.emulator.clock.advance(5000);

    const refused = await refusal(aws.logs.send(cancel(taskId)));

    expect((await aws.describe(taskId))?.status?.code).toBe(ending);
    expect(refused).toEqual({
      name: 'InvalidOperationException',
      message: 'The specified export task has already finished',
      status: 400,
    });
  });

  it('rejects an unknown task id of any form', async () => {
    await using aws = await openAws();

    expect(await refusal(aws.logs.send(cancel('no uuid')))).toEqual({
      name: 'ResourceNotFoundException',
      message: 'The specified export task does not exist.',
      status: 400,
    });
  });

  it('frees the slot at once and rejects a second cancel, unless the options differ', async () => {
    await using aws = await openAws();
    await using other = await openAws({
      pendingCancelHoldsSlot: true,
      pendingCancelIsCancellable: true,
    });
    const outcomes = async ({ create, logs, emulator }: typeof aws) => {
      const taskId = await create();
      await logs.send(cancel(taskId));
      const again = await refusal(logs.send(cancel(taskId)));
      const next = await refusal(create());
      emulator.clock.advance(100);
      return [again?.name, next?.name];
    };

    expect(await outcomes(aws)).toEqual(['InvalidOperationException', undefined]);
    expect(await outcomes(other)).toEqual([undefined, 'LimitExceededException']);
    expect(await refusal(other.create())).toBeUndefined();
  });
});
