import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { dispatcherLimits } from '#export-jobs/dispatcher/limits.ts';
import { makeMarker } from '#targets/marker.ts';
import { startAt } from '../put-job.ts';
import { type Line, openLine } from '../queue-of-jobs.ts';

const region = 'eu-west-1';
const settledBy = 150_000;

const strays = ({ database }: Line) => database.queries.selectFrom('strays').selectAll().execute();
const alerts = ({ log }: Line, alert: string) => log.filter((entry) => entry.alert === alert);
const cancels = (line: Line) => line.calls('CancelExportTask').map(({ input }) => input);

/** The first create takes effect after its attempt was called absent. */
const tooLate = (delayMs: number): Fault => ({
  ...{ kind: 'late-effect', operation: 'CreateExportTask', delayMs },
});

function isFirstPage(input: unknown): boolean {
  const { taskId, statusCode, nextToken } = input as Record<string, string | undefined>;
  return taskId === undefined && statusCode === undefined && nextToken === undefined;
}

const installationOf = ({ database }: Line) =>
  database.queries.selectFrom('installation').selectAll().executeTakeFirstOrThrow();

/** A marker of an attempt of which there is no row. */
const markerOf = async (line: Line) =>
  makeMarker(await installationOf(line), { jobId: 'gone', slice: 0, attempt: 1 }, 'abcdef');

describe('a task of ours that its slice does not know', () => {
  test('is told of, written down and cancelled within a minute', async () => {
    await using line = await openLine({ emulator: { runningMs: 3_600_000, activeTaskLimit: 2 } });
    const delayMs = settledBy + 100_000;
    line.emulator.faults.add(tooLate(delayMs));
    const jobId = await line.put();

    await line.time.runUntil(() => cancels(line).length > 0);

    const foundAt = line.time.now();
    const stray = line.emulator
      .exportTasks()
      .find(({ createdAt }) => createdAt === startAt + delayMs);
    expect(foundAt - startAt - delayMs).toBeLessThanOrEqual(60_000);
    expect(await strays(line)).toEqual([
      {
        ...{ taskId: stray?.taskId, target: 'default', marker: stray?.taskName, jobId },
        detectedAt: foundAt,
      },
    ]);
    expect(alerts(line, 'duplicate_export_detected')).toMatchObject([
      { level: 'error', taskId: stray?.taskId, jobId },
    ]);
    expect(cancels(line)).toEqual([{ taskId: stray?.taskId }]);
  });

  test.each([
    ['a first long task is watched closely', { runningMs: 3_600_000 }, 1],
    ['tasks of a second follow each other', { pendingMs: 0, runningMs: 950 }, 100],
    ['nothing is asked for', {}, 0],
  ])('is looked for every minute while %s', async (_what, emulator, slices) => {
    await using line = await openLine({ emulator });
    if (slices > 0) await line.put({ slices });

    await line.time.runFor(130_000);

    const sweeps = line.calls('DescribeExportTasks').filter(({ input }) => isFirstPage(input));
    const times = [startAt, ...sweeps.map(({ at }) => at), startAt + 130_000];
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(60_000);
  });

  test('in the only slot is cancelled, and then the slice that waits is exported', async () => {
    await using line = await openLine({ emulator: { runningMs: 3_600_000 } });
    line.emulator.faults.add(tooLate(settledBy));
    line.emulator.faults.add({ kind: 'reset-before', operation: 'CreateExportTask' });
    const jobId = await line.put();
    await line.time.runUntil(() =>
      line.emulator.exportTasks().some(({ status }) => status === 'CANCELLED'),
    );

    await line.time.runUntil(async () => (await line.states(jobId))[0] === 'running');

    expect(
      line.emulator
        .exportTasks()
        .map(({ status }) => status)
        .slice(0, 1),
    ).toEqual(['CANCELLED']);
    expect(await strays(line)).toHaveLength(1);
  });

  test('is found while another lost create is being settled', async () => {
    await using line = await openLine({ emulator: { activeTaskLimit: 2 } });
    const late = settledBy + 10_000;
    line.emulator.faults.add(tooLate(late));
    line.emulator.faults.add({ kind: 'reset-before', operation: 'CreateExportTask' });
    await line.put();

    await line.time.runUntil(async () => (await strays(line)).length > 0);

    expect(line.time.now() - startAt - late).toBeLessThanOrEqual(60_000);
  });

  test('is told of once, and cancelled again until AWS has taken the cancel', async () => {
    await using line = await openLine({ emulator: { runningMs: 3_600_000, activeTaskLimit: 2 } });
    line.emulator.faults.add(tooLate(settledBy));
    line.emulator.faults.add({ kind: 'error', operation: 'CancelExportTask', count: 3 });
    await line.put();

    await line.time.runUntil(() =>
      line.emulator.exportTasks().some(({ status }) => status === 'CANCELLED'),
    );
    await line.time.runFor(100_000);

    expect(alerts(line, 'duplicate_export_detected')).toHaveLength(1);
    expect(line.calls('CancelExportTask').map(({ status }) => status)).toEqual([
      500, 500, 500, 200,
    ]);
  });

  test('without any row here, as after a database was put back, is found all the same', async () => {
    await using line = await openLine();
    const taskName = await markerOf(line);
    const taskId = line.emulator.seed.foreignTask({
      region,
      durationMs: 600_000,
      order: { taskName },
    });

    await line.time.runFor(61_000);

    expect(await strays(line)).toMatchObject([{ taskId, jobId: null }]);
    expect(cancels(line)).toEqual([{ taskId }]);
  });

  test('that has ended is told of, but not cancelled', async () => {
    await using line = await openLine();
    const taskName = await markerOf(line);
    line.emulator.seed.finishedTasks({ region, count: 1, order: { taskName } });

    await line.time.runFor(61_000);

    expect(await strays(line)).toHaveLength(1);
    expect(cancels(line)).toEqual([]);
  });
});

describe('a task that is not ours', () => {
  test('is never touched: of another installation, with a name alike, or without one', async () => {
    await using line = await openLine({ emulator: { activeTaskLimit: 9 } });
    const { id: installation } = await installationOf(line);
    const names = [
      `xp1-${installation}-gone-0-1-0123456789abcdef`, // not signed
      'xp1-00000000-gone-0-1-0123456789abcdef',
      `xp1-${installation}0-gone-0-1-0123456789abcdef`,
      `XP1-${installation}-gone`,
      undefined,
    ];
    for (const taskName of names) {
      line.emulator.seed.foreignTask({ region, durationMs: 1_000_000, order: { taskName } });
    }
    await line.put({ slices: 3 });

    await line.runUntilDone();
    await line.time.runFor(60_000);

    expect(await strays(line)).toEqual([]);
    expect(cancels(line)).toEqual([]);
  });

  test.each([
    ['bucket', { destination: 'somebody-elses-bucket' }],
    ['prefix', { destinationPrefix: 'elsewhere' }],
    ['log group', { logGroupName: '/other' }],
    ['start', { from: 1n }],
    ['end', { to: 2n }],
  ])(
    'but has the marker of a slice and another %s is not taken for its task, nor is the slice sent again',
    async (_what, other) => {
      await using line = await openLine({ emulator: { activeTaskLimit: 2 } });
      line.emulator.faults.add({ kind: 'reset-before', operation: 'CreateExportTask' });
      const jobId = await line.put();
      await line.time.runUntil(() => line.calls('CreateExportTask').length === 1);
      const [create] = line.calls('CreateExportTask');
      const sent = create?.input as {
        taskName: string;
        logGroupName: string;
        from: bigint;
        to: bigint;
      };
      const order = {
        destination: 'archive',
        destinationPrefix: `jobs/${jobId}/1`,
        ...sent,
        ...other,
      };
      const taskId = line.emulator.seed.foreignTask({ region, durationMs: 10_000, order });

      await line.runUntilDone();

      const [slice] = await line.slices(jobId);
      expect(slice).toMatchObject({ state: 'failed', attempt: 1 });
      expect(JSON.parse(slice?.problem ?? '')).toMatchObject({
        type: '/problems/export-task-differs',
        detail: expect.stringContaining(taskId),
      });
      expect(line.calls('CreateExportTask')).toHaveLength(1);
      expect(cancels(line)).toEqual([]);
      expect(await strays(line)).toEqual([]);
      expect(alerts(line, 'marker_forged')).not.toEqual([]);
      expect(alerts(line, 'marker_forged')[0]).toMatchObject({ level: 'error', jobId, taskId });
    },
  );

  test.each([
    ['a slash at the end of its prefix', (sent: Sent) => ({ ...sent, ...prefixWith(sent, '/') })],
    ['a creation an hour ago, as by another clock', (sent: Sent) => sent],
  ])('but one shown with %s is ours', async (_what, show) => {
    await using line = await openLine();
    line.emulator.faults.add({ kind: 'reset-before', operation: 'CreateExportTask' });
    const jobId = await line.put();
    await line.time.runUntil(() => line.calls('CreateExportTask').length === 1);
    const [create] = line.calls('CreateExportTask');
    const order = show(create?.input as Sent);
    line.emulator.seed.finishedTasks({ region, count: 1, spacingMs: 3_600_000, order });

    await line.runUntilDone();

    expect(await line.states(jobId)).toEqual(['completed']);
    expect(line.calls('CreateExportTask')).toHaveLength(1);
    expect(alerts(line, 'marker_forged')).toEqual([]);
  });

  test('and copies the name of a running task of ours is neither reported nor cancelled', async () => {
    await using line = await openLine({ emulator: { runningMs: 3_600_000, activeTaskLimit: 2 } });
    await line.put();
    await line.time.runUntil(async () => (await line.states())[0] === 'running');
    const [task] = line.emulator.exportTasks();
    const order = { taskName: task?.taskName, logGroupName: '/mine', destination: 'my-bucket' };
    line.emulator.seed.foreignTask({ region, durationMs: 600_000, order });

    await line.time.runFor(120_000);

    expect(await strays(line)).toEqual([]);
    expect(cancels(line)).toEqual([]);
    expect(alerts(line, 'duplicate_export_detected')).toEqual([]);
  });
});

interface Sent {
  taskName: string;
  logGroupName: string;
  from: bigint;
  to: bigint;
  destination: string;
  destinationPrefix: string;
}

const prefixWith = ({ destinationPrefix }: Sent, end: string) => ({
  destinationPrefix: `${destinationPrefix}${end}`,
});

test('a sweep goes through all tasks of the last minutes, one page at a time', async () => {
  await using line = await openLine();
  const taskName = await markerOf(line);
  const { sweepBackMs } = dispatcherLimits;
  line.emulator.seed.finishedTasks({
    region,
    count: 1,
    spacingMs: sweepBackMs - 10_000,
    order: { taskName },
  });
  line.emulator.seed.finishedTasks({ region, count: 120, spacingMs: 1_000 });

  await line.time.runUntil(async () => (await strays(line)).length > 0);

  expect(line.time.now() - startAt).toBeLessThanOrEqual(5_000);
});
