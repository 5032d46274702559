import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { dispatcherTimings } from '#export-jobs/dispatcher/timings.ts';
import { makeMarker } from '#targets/marker.ts';
import { startAt } from '../insert-hourly-job.ts';
import { openQueue, type Queue } from '../open-queue.ts';

const region = 'eu-west-1';
const settledBy = 150_000;

const strays = ({ database }: Queue) => database.queries.selectFrom('strays').selectAll().execute();
const alerts = ({ log }: Queue, alert: string) => log.filter((entry) => entry.alert === alert);
const cancels = (queue: Queue) => queue.calls('CancelExportTask').map(({ input }) => input);

/** The first create takes effect after its attempt counted as absent. */
const tooLate = (delayMs: number): Fault => ({
  kind: 'late-effect',
  operation: 'CreateExportTask',
  delayMs,
});

function isFirstPage(input: unknown): boolean {
  const { taskId, statusCode, nextToken } = input as Record<string, string | undefined>;
  return taskId === undefined && statusCode === undefined && nextToken === undefined;
}

const installationOf = ({ database }: Queue) =>
  database.queries.selectFrom('installation').selectAll().executeTakeFirstOrThrow();

/** A marker of an attempt without a row. */
const markerOf = async (queue: Queue) =>
  makeMarker(await installationOf(queue), { jobId: 'gone', slice: 0, attempt: 1 }, 'abcdef');

describe('an orphaned task', () => {
  test('is logged, recorded and cancelled within a minute', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 3_600_000, activeTaskLimit: 2 } });
    const delayMs = settledBy + 100_000;
    queue.emulator.faults.add(tooLate(delayMs));
    const jobId = await queue.put();

    await queue.time.runUntil(() => cancels(queue).length > 0);

    const foundAt = queue.time.now();
    const sentAt = queue.calls('CreateExportTask')[0]?.at ?? 0;
    const orphan = queue.emulator
      .exportTasks()
      .find(({ createdAt }) => createdAt === sentAt + delayMs);
    expect(foundAt - sentAt - delayMs).toBeLessThanOrEqual(60_000);
    expect(await strays(queue)).toEqual([
      {
        taskId: orphan?.taskId,
        target: 'default',
        marker: orphan?.taskName,
        jobId,
        detectedAt: foundAt,
      },
    ]);
    expect(alerts(queue, 'duplicate_export_detected')).toMatchObject([
      { level: 'error', taskId: orphan?.taskId, jobId },
    ]);
    expect(cancels(queue)).toEqual([{ taskId: orphan?.taskId }]);
  });

  test.each([
    ['a first long task is watched closely', { runningMs: 3_600_000 }, 1],
    ['tasks of a second follow each other', { pendingMs: 0, runningMs: 950 }, 100],
    ['each task is polled often', { pendingMs: 0, runningMs: [1_500, 4_000] as const }, 100],
    ['nothing more is asked for', { pendingMs: 0, runningMs: 950 }, 1],
  ])('is looked for every minute while %s', async (_what, emulator, slices) => {
    await using queue = await openQueue({ emulator });
    await queue.put({ slices });

    await queue.time.runFor(130_000);

    const sweeps = queue.calls('DescribeExportTasks').filter(({ input }) => isFirstPage(input));
    const times = [startAt, ...sweeps.map(({ at }) => at), startAt + 130_000];
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(60_000);
  });

  test('in the only slot is cancelled, then the waiting slice is exported', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 3_600_000 } });
    queue.emulator.faults.add(tooLate(settledBy));
    queue.emulator.faults.add({ kind: 'reset-before', operation: 'CreateExportTask' });
    const jobId = await queue.put();
    await queue.time.runUntil(() =>
      queue.emulator.exportTasks().some(({ status }) => status === 'CANCELLED'),
    );

    await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');

    expect(
      queue.emulator
        .exportTasks()
        .map(({ status }) => status)
        .slice(0, 1),
    ).toEqual(['CANCELLED']);
    expect(await strays(queue)).toHaveLength(1);
  });

  test('is found while another lost create is being reconciled', async () => {
    await using queue = await openQueue({ emulator: { activeTaskLimit: 2 } });
    const late = settledBy + 10_000;
    queue.emulator.faults.add(tooLate(late));
    queue.emulator.faults.add({ kind: 'reset-before', operation: 'CreateExportTask' });
    await queue.put();

    await queue.time.runUntil(async () => (await strays(queue)).length > 0);

    expect(queue.time.now() - startAt - late).toBeLessThanOrEqual(60_000);
  });

  test('is logged once, and cancelled again until AWS accepts the cancel', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 3_600_000, activeTaskLimit: 2 } });
    queue.emulator.faults.add(tooLate(settledBy));
    queue.emulator.faults.add({ kind: 'error', operation: 'CancelExportTask', count: 3 });
    await queue.put();

    await queue.time.runUntil(() =>
      queue.emulator.exportTasks().some(({ status }) => status === 'CANCELLED'),
    );
    await queue.time.runFor(100_000);

    expect(alerts(queue, 'duplicate_export_detected')).toHaveLength(1);
    expect(queue.calls('CancelExportTask').map(({ status }) => status)).toEqual([
      500, 500, 500, 200,
    ]);
  });

  test('without a row, as after a restore of the database, is found', async () => {
    await using queue = await openQueue({ emulator: { activeTaskLimit: 2 } });
    await queue.put();
    const taskName = await markerOf(queue);
    const taskId = queue.emulator.seed.foreignTask({
      region,
      durationMs: 600_000,
      order: { taskName },
    });

    await queue.time.runFor(61_000);

    expect(await strays(queue)).toMatchObject([{ taskId, jobId: null }]);
    expect(cancels(queue)).toEqual([{ taskId }]);
  });

  test('that has ended is logged, but not cancelled', async () => {
    await using queue = await openQueue();
    await queue.put();
    const taskName = await markerOf(queue);
    queue.emulator.seed.finishedTasks({ region, count: 1, order: { taskName } });

    await queue.time.runFor(61_000);

    expect(await strays(queue)).toHaveLength(1);
    expect(cancels(queue)).toEqual([]);
  });

  test('that ends just before its cancel is not logged as one that is cancelled again', async () => {
    let endIt = () => {};
    await using queue = await openQueue({
      emulator: { activeTaskLimit: 2 },
      reach: async (point) => {
        if (point === 'before-orphan-cancel') endIt();
      },
    });
    await queue.put();
    const order = { taskName: await markerOf(queue) };
    queue.emulator.seed.foreignTask({ region, durationMs: 600_000, order });
    endIt = () => queue.emulator.clock.advance(600_000);

    await queue.time.runFor(61_000);

    const answers = queue.calls('CancelExportTask').map(({ errorCode }) => errorCode);
    expect(new Set(answers)).toEqual(new Set(['InvalidOperationException']));
    expect(queue.log.map(({ text }) => text)).not.toContain(
      'failed to cancel an orphaned task, retrying',
    );
  });

  describe('of a job that was deleted', () => {
    const deleteJob = ({ database, time }: Queue, id: string) =>
      database.queries
        .insertInto('deletedJobs')
        .values({ id, caller: 'anonymous', deletedAt: time.now(), rest: 'id' })
        .execute();

    test('an orphan is none when the task has ended, however old it is', async () => {
      await using queue = await openQueue();
      await queue.put();
      await deleteJob(queue, 'gone');
      const taskName = await markerOf(queue);
      queue.emulator.seed.finishedTasks({ region, count: 1, order: { taskName } });

      await queue.time.runFor(61_000);

      expect(await strays(queue)).toEqual([]);
      expect(alerts(queue, 'duplicate_export_detected')).toEqual([]);
    });

    test('an orphan is none when the task runs: its name was copied, and it is not cancelled', async () => {
      await using queue = await openQueue({ emulator: { activeTaskLimit: 2 } });
      const jobId = await queue.put();
      await deleteJob(queue, 'gone');
      const order = { taskName: await markerOf(queue) };
      queue.emulator.seed.foreignTask({ region, durationMs: 600_000, order });

      await queue.time.runFor(61_000);

      expect(await strays(queue)).toEqual([]);
      expect(cancels(queue)).toEqual([]);
      expect(await queue.states(jobId)).toEqual(['completed']);
    });

    test('an orphan is none when nothing is known of the job any more, after 400 days', async () => {
      await using queue = await openQueue();
      await queue.put();
      const taskName = await markerOf(queue);
      const order = { taskName };
      const seedOf = (days: number) =>
        queue.emulator.seed.finishedTasks({
          region,
          count: 1,
          spacingMs: days * 86_400_000,
          order,
        });
      seedOf(401);
      const [young] = seedOf(399);

      await queue.time.runFor(61_000);

      expect(await strays(queue)).toMatchObject([{ taskId: young }]);
    });
  });

  test('is looked for until ten minutes after the last create, and not after that', async () => {
    await using queue = await openQueue();
    await queue.put();
    await queue.runUntilDone();
    const sentAt = queue.calls('CreateExportTask')[0]?.at ?? 0;

    await queue.time.runFor(3 * 600_000);

    const lastCallAt = queue.emulator.journal.entries().at(-1)?.at ?? 0;
    expect(lastCallAt - sentAt).toBeGreaterThan(540_000);
    expect(lastCallAt - sentAt).toBeLessThanOrEqual(603_000);
  });

  test('is looked for until AWS accepts its cancel, also after more than ten minutes', async () => {
    await using queue = await openQueue({ emulator: { activeTaskLimit: 2 } });
    await queue.put();
    const order = { taskName: await markerOf(queue) };
    queue.emulator.seed.foreignTask({ region, durationMs: 3_600_000, order });
    queue.emulator.faults.add({ kind: 'error', operation: 'CancelExportTask', count: 60 });

    await queue.time.runUntil(() => queue.calls('CancelExportTask').at(-1)?.status === 200);

    expect(queue.time.now() - startAt).toBeGreaterThan(600_000);
  });

  test.each([
    ['the same replica', false],
    ['another replica', true],
  ])('from a long pause is found by the first sweep after it, by %s', async (_who, isOther) => {
    await using queue = await openQueue();
    await queue.put();
    await queue.time.runFor(700_000);
    if (isOther) await queue.replicas[0]?.close();
    await queue.time.runFor(7_200_000);
    if (isOther) await queue.openReplica();
    const order = { taskName: await markerOf(queue) };
    queue.emulator.seed.finishedTasks({ region, count: 1, spacingMs: 3_600_000, order });
    queue.emulator.seed.finishedTasks({ region, count: 60, spacingMs: 30_000 }); // more than a page

    await queue.put();
    await queue.time.runFor(10_000);

    expect(await strays(queue)).toHaveLength(1);
  });

  test('of a replica that lost its lease during the create is looked for after that', async () => {
    await using queue = await openQueue({ replicas: 0 });
    await queue.put();
    const first = await queue.openReplica({ freezesAt: 'before-outcome' });
    await queue.time.runUntil(first.isDown);
    await queue.openReplica();
    await queue.time.runFor(1_200_000);
    const callsBefore = queue.calls('DescribeExportTasks').length;

    first.thaw();
    await queue.time.runFor(120_000);

    const sweeps = queue.calls('DescribeExportTasks').slice(callsBefore);
    expect(sweeps.filter(({ input }) => isFirstPage(input)).length).toBeGreaterThanOrEqual(2);
  });
});

describe('a foreign task', () => {
  test('is never touched: of another installation, with a similar name, or without a name', async () => {
    await using queue = await openQueue({ emulator: { activeTaskLimit: 9 } });
    const { id: installation } = await installationOf(queue);
    const names = [
      `xp1-${installation}-gone-0-1-0123456789abcdef`, // not signed
      'xp1-00000000-gone-0-1-0123456789abcdef',
      `xp1-${installation}0-gone-0-1-0123456789abcdef`,
      `XP1-${installation}-gone`,
      undefined,
    ];
    for (const taskName of names) {
      queue.emulator.seed.foreignTask({ region, durationMs: 1_000_000, order: { taskName } });
    }
    await queue.put({ slices: 3 });

    await queue.runUntilDone();
    await queue.time.runFor(60_000);

    expect(await strays(queue)).toEqual([]);
    expect(cancels(queue)).toEqual([]);
  });

  test.each([
    ['bucket', { destination: 'somebody-elses-bucket' }],
    ['prefix', { destinationPrefix: 'elsewhere' }],
    ['log group', { logGroupName: '/other' }],
    ['start', { from: 1n }],
    ['end', { to: 2n }],
  ])(
    'with the marker of a slice and another %s is not adopted, and the slice is not sent again',
    async (_what, other) => {
      await using queue = await openQueue({ emulator: { activeTaskLimit: 2 } });
      queue.emulator.faults.add({ kind: 'reset-before', operation: 'CreateExportTask' });
      const jobId = await queue.put();
      await queue.time.runUntil(() => queue.calls('CreateExportTask').length === 1);
      const [create] = queue.calls('CreateExportTask');
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
      const taskId = queue.emulator.seed.foreignTask({ region, durationMs: 10_000, order });

      await queue.runUntilDone();

      const [slice] = await queue.slices(jobId);
      expect(slice).toMatchObject({ state: 'failed', attempt: 1 });
      expect(JSON.parse(slice?.problem ?? '')).toMatchObject({
        type: '/problems/export-task-differs',
        detail: expect.stringContaining(taskId),
      });
      expect(queue.calls('CreateExportTask')).toHaveLength(1);
      expect(cancels(queue)).toEqual([]);
      expect(await strays(queue)).toEqual([]);
      expect(alerts(queue, 'marker_mismatch')).not.toEqual([]);
      expect(alerts(queue, 'marker_mismatch')[0]).toMatchObject({ level: 'error', jobId, taskId });
    },
  );

  test.each([
    ['a slash at the end of its prefix', (sent: Sent) => ({ ...sent, ...prefixWith(sent, '/') })],
    ['a creation an hour ago, as by another clock', (sent: Sent) => sent],
  ])('is one of ours if AWS shows it with %s', async (_what, show) => {
    await using queue = await openQueue();
    queue.emulator.faults.add({ kind: 'reset-before', operation: 'CreateExportTask' });
    const jobId = await queue.put();
    await queue.time.runUntil(() => queue.calls('CreateExportTask').length === 1);
    const [create] = queue.calls('CreateExportTask');
    const order = show(create?.input as Sent);
    queue.emulator.seed.finishedTasks({ region, count: 1, spacingMs: 3_600_000, order });

    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['completed']);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
    expect(alerts(queue, 'marker_mismatch')).toEqual([]);
  });

  test('that copies the name of a running task is neither logged nor cancelled', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 3_600_000, activeTaskLimit: 2 } });
    await queue.put();
    await queue.time.runUntil(async () => (await queue.states())[0] === 'running');
    const [task] = queue.emulator.exportTasks();
    const order = { taskName: task?.taskName, logGroupName: '/mine', destination: 'my-bucket' };
    queue.emulator.seed.foreignTask({ region, durationMs: 600_000, order });

    await queue.time.runFor(120_000);

    expect(await strays(queue)).toEqual([]);
    expect(cancels(queue)).toEqual([]);
    expect(alerts(queue, 'duplicate_export_detected')).toEqual([]);
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

test('sweeps all tasks of the last minutes, one page at a time', async () => {
  await using queue = await openQueue();
  await queue.put();
  const taskName = await markerOf(queue);
  const { sweepBackMs } = dispatcherTimings;
  queue.emulator.seed.finishedTasks({
    region,
    count: 1,
    spacingMs: sweepBackMs - 10_000,
    order: { taskName },
  });
  queue.emulator.seed.finishedTasks({ region, count: 120, spacingMs: 1_000 });

  await queue.time.runUntil(async () => (await strays(queue)).length > 0);

  expect(queue.time.now() - startAt).toBeLessThanOrEqual(5_000);
});
