import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { startAt } from '../export-jobs/put-job.ts';
import { type Line, openLine } from '../export-jobs/queue-of-jobs.ts';
import { region } from '../world.ts';
import { readLines, seedEvents } from './content.ts';
import { guessesAboutAws } from './guesses.ts';

const window = { region, logGroupName: '/app', fromAt: startAt - 30 * 86_400_000, hours: 4 };
// As long as it takes to know that a lost create took no effect: well beyond a listing that lags.
const limits = { settleMs: 20_000, lookEveryMs: 5_000, idleMs: 5_000 };
const unavailable = { kind: 'error', code: 'ServiceUnavailableException' } as const;

/** Loses the answers to the first creates of a job, with and without an effect. */
function loseAnswers({ emulator }: Line): void {
  const operation = 'CreateExportTask';
  const faults: Fault[] = [
    { operation, kind: 'reset-after' },
    { operation, ...unavailable, afterEffect: true },
    { operation, kind: 'reset-before' },
    { operation, ...unavailable },
  ];
  for (const fault of faults) emulator.faults.add(fault);
}

/** Tasks that were active while another was. */
function overlaps({ emulator }: Line): number {
  const tasks = emulator.exportTasks();
  return tasks.filter((task, at) => task.createdAt < (tasks[at - 1]?.finishedAt ?? 0)).length;
}

describe.each(guessesAboutAws(1_000))('AWS might also $name:', (guess) => {
  const { emulator } = guess;

  test('a sliced job exports each event exactly once, whatever answers are lost', async () => {
    await using line = await openLine({ emulator, limits });
    const expected = seedEvents(line.emulator, window, guess);
    loseAnswers(line);
    const jobId = await line.put({ slices: window.hours });

    await line.runUntilDone();

    expect(await line.states(jobId)).toEqual(Array(window.hours).fill('completed'));
    expect(
      await readLines(line.emulator, { region, bucket: 'archive', prefix: `jobs/${jobId}/` }),
    ).toEqual(expected);
    expect(overlaps(line)).toBe(0);
    expect(line.emulator.faults.pending()).toEqual([]);
  });

  test('a cancelled job ends as AWS says, and the next one goes on', async () => {
    await using line = await openLine({ emulator, limits });
    const jobId = await line.put({ slices: 2 });
    const next = await line.put({ caller: 'other' });
    await line.time.runUntil(async () => (await line.states(jobId)).includes('running'));
    await line.time.runFor(700); // the task is RUNNING

    line.emulator.faults.add({ operation: 'CancelExportTask', kind: 'reset-after' });
    await line.cancel(jobId);
    await line.runUntilDone();

    const ended = line.emulator.exportTasks()[0]?.status.toLowerCase();
    expect(await line.states(jobId)).toEqual([ended, 'cancelled']);
    expect(await line.states(next)).toEqual(['completed']);
  });
});
