import { describe, expect, it } from 'vitest';
import { bucket, openBench, refusal } from './bench.ts';

describe('the seed', () => {
  it('ends only active tasks FAILED', async () => {
    await using bench = await openBench();
    const { seed } = bench.emulator;
    const [taskId = ''] = seed.finishedTasks({ count: 1 });

    expect(() => seed.taskFailure({ taskId })).toThrow('is not active');
    expect(() => seed.taskFailure({ taskId: 'none' })).toThrow('does not exist');
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
