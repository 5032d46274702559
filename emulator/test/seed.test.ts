import { describe, expect, it } from 'vitest';
import { bucket, openAws, refusal } from './aws.ts';

describe('the seed', () => {
  it('ends active tasks FAILED and rejects others', async () => {
    await using aws = await openAws();
    const { seed } = aws.emulator;
    const [taskId = ''] = seed.finishedTasks({ count: 1 });

    expect(() => seed.taskFailure({ taskId })).toThrow('is not active');
    expect(() => seed.taskFailure({ taskId: 'none' })).toThrow('does not exist');
  });

  it('holds the slot for a foreign task while it runs', async () => {
    await using aws = await openAws();
    const taskId = aws.emulator.seed.foreignTask({
      durationMs: 60_000,
      order: { taskName: 'theirs' },
    });

    expect(await refusal(aws.create())).toMatchObject({ name: 'LimitExceededException' });
    aws.emulator.clock.advance(60_000);

    expect(await aws.describe(taskId)).toMatchObject({
      taskName: 'theirs',
      status: { code: 'COMPLETED' },
    });
    expect(await refusal(aws.create())).toBeUndefined();
  });

  it('lists the tasks of all accounts and Regions', async () => {
    await using aws = await openAws();
    const taskId = await aws.create();
    aws.emulator.seed.foreignTask({ durationMs: 1, region: 'eu-west-1' });
    aws.emulator.clock.advance(5000);

    const tasks = aws.emulator.exportTasks();

    expect(tasks).toMatchObject([
      { taskId, region: 'us-east-1', status: 'COMPLETED', destination: bucket },
      { region: 'eu-west-1', status: 'COMPLETED' },
    ]);
  });
});
