import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { TaskParameters } from '#export-jobs/task-parameters.ts';
import { openQueue } from '../open-queue.ts';
import { putTask } from './given-task.ts';

const largest = 2n ** 63n - 1n;

/** An end of a time range: milliseconds, seconds, 2^53, 2^60 and their neighbours, and any other 64-bit integer. */
const instant = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 53n + 1n, 2n ** 60n - 1n, 2n ** 60n, 2n ** 60n + 1n, largest),
  fc.bigInt(1_600_000_000n, 1_800_000_000n),
  fc.bigInt(0n, 8_640_000_000_000_001n),
  fc.bigInt(0n, largest),
);
const text = (unit: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...unit), minLength: 1, maxLength });
const parameters = fc.record(
  {
    logGroupName: fc.constantFrom('/app', '/other'),
    from: instant,
    to: instant,
    destination: fc.constant('archive'),
    taskName: text('abc {}é%"', 40),
    logStreamNamePrefix: text('abc/[$]{}é', 12),
    destinationPrefix: fc.oneof(
      fc.constantFrom('', '/', '//', '{jobId}', '{yyyy}/{MM}', '{', 'a//b', '/a'),
      text('ab/{}-é', 24),
    ),
  },
  { requiredKeys: ['logGroupName', 'from', 'to', 'destination'] },
);

/** The prefix that AWS must get for a task. */
function expectedPrefix({ destinationPrefix = '' }: TaskParameters, jobId: string) {
  return `${destinationPrefix.replace(/\/+$/, '') || 'exportedlogs'}/${jobId}`;
}

describe.each(['sqlite', 'postgres'] as const)('tasks of AWS clients (%s)', (backend) => {
  test('reach AWS with exactly the parameters that were sent', async () => {
    await using queue = await openQueue({ backend, emulator: { pendingMs: 0, runningMs: 0 } });
    queue.emulator.seed.logGroup({ region: 'eu-west-1', logGroupName: '/other' });
    const sent = fc.sample(parameters, { numRuns: 30 });
    const given = new Map<string, TaskParameters>();
    for (const one of sent) given.set(await putTask(queue, one), one);

    await queue.runUntilDone();

    const received = queue.calls('CreateExportTask').map(({ input }) => input as TaskParameters);
    const jobOf = ({ destinationPrefix = '' }: TaskParameters) =>
      destinationPrefix.split('/').at(-1) ?? '';
    expect(received.map(jobOf).sort()).toEqual([...given.keys()].sort());
    for (const { taskName, from, to, ...texts } of received) {
      const input = { ...texts, from: BigInt(from), to: BigInt(to) };
      const jobId = jobOf(input);
      const { taskName: _name, ...asked } = given.get(jobId) as TaskParameters;
      expect(input).toEqual({ ...asked, destinationPrefix: expectedPrefix(asked, jobId) });
      expect(taskName).toContain(jobId);
    }
    expect(new Set(await queue.states())).toEqual(new Set(['completed']));
  });

  test('are found again after a lost answer, with reversed and very large windows', async () => {
    await using queue = await openQueue({ backend, emulator: { pendingMs: 0, runningMs: 5_000 } });
    queue.emulator.faults.add({ operation: 'CreateExportTask', kind: 'reset-after', count: 3 });
    const windows = [
      [2n ** 60n, 0n],
      [largest, largest],
      [1n, 1n],
    ] as const;
    for (const [from, to] of windows) await putTask(queue, { from, to });

    await queue.runUntilDone();

    expect(await queue.states()).toEqual(['completed', 'completed', 'completed']);
    const created = queue.emulator.exportTasks().map(({ from, to }) => [from, to]);
    expect(created.sort()).toEqual([...windows].sort());
  });
});
