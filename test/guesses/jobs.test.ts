import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { startAt } from '../export-jobs/insert-hourly-job.ts';
import { openQueue, type Queue } from '../export-jobs/open-queue.ts';
import { region } from '../world.ts';
import { readLines, seedEvents } from './content.ts';
import { guessesAboutAws } from './guesses.ts';

const window = { region, logGroupName: '/app', fromAt: startAt - 30 * 86_400_000, hours: 4 };
// The time until a lost create counts as absent. It is well beyond the delay of a listing.
const timings = { reconcileMs: 20_000, listingIntervalMs: 5_000, idleMs: 5_000 };
const unavailable = { kind: 'error', code: 'ServiceUnavailableException' } as const;

/** Loses the answers to the first creates of a job, with and without an effect. */
function loseAnswers({ emulator }: Queue): void {
  const operation = 'CreateExportTask';
  const faults: Fault[] = [
    { operation, kind: 'reset-after' },
    { operation, ...unavailable, afterEffect: true },
    { operation, kind: 'reset-before' },
    { operation, ...unavailable },
  ];
  for (const fault of faults) emulator.faults.add(fault);
}

/** The number of tasks that were active at the same time as another. */
function countOverlaps({ emulator }: Queue): number {
  const tasks = emulator.exportTasks();
  return tasks.filter((task, at) => task.createdAt < (tasks[at - 1]?.finishedAt ?? 0)).length;
}

describe.each(guessesAboutAws(1_000))('AWS might also $name:', (guess) => {
  const { emulator } = guess;

  test('a sliced job exports each event exactly once after any lost answers', async () => {
    await using queue = await openQueue({ emulator, timings });
    const expected = seedEvents(queue.emulator, window, guess);
    loseAnswers(queue);
    const jobId = await queue.put({ slices: window.hours });

    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(Array(window.hours).fill('completed'));
    expect(
      await readLines(queue.emulator, {
        region,
        bucket: 'archive',
        prefix: `jobs/${jobId}/`,
      }),
    ).toEqual(expected);
    expect(countOverlaps(queue)).toBe(0);
    expect(queue.emulator.faults.pending()).toEqual([]);
  });

  test('a cancelled job ends in the state that AWS reports, and the next job starts', async () => {
    await using queue = await openQueue({ emulator, timings });
    const jobId = await queue.put({ slices: 2 });
    const next = await queue.put({ caller: 'other' });
    await queue.time.runUntil(async () => (await queue.states(jobId)).includes('running'));
    await queue.time.runFor(700); // the task is RUNNING

    queue.emulator.faults.add({ operation: 'CancelExportTask', kind: 'reset-after' });
    await queue.cancel(jobId);
    await queue.runUntilDone();

    const ended = queue.emulator.exportTasks()[0]?.status.toLowerCase();
    expect(await queue.states(jobId)).toEqual([ended, 'cancelled']);
    expect(await queue.states(next)).toEqual(['completed']);
  });
});
