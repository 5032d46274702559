import { describe, expect, test } from 'vitest';
import { busyShare } from '#export-jobs/queue/slot/slot-usage.ts';
import { insertAttempt, insertJob } from '../export-jobs/insert-rows.ts';
import { storageBackends } from '../export-jobs/storage-backends.ts';
import { createBody, openWorld, region, type World } from '../world.ts';

const minuteMs = 60_000;
const now = Date.UTC(2024, 4, 2, 12);
const clock = () => now;
const instant = (ms: number) => new Date(ms).toISOString();
const minutesAgo = (minutes: number) => now - minutes * minuteMs;

const emulator = { runningMs: 3_600_000 };
const showTarget = (world: World) => world.call('GET', '/targets/default');
const countAwsCalls = (world: World) => world.calls('DescribeExportTasks').length;

/** Creates a foreign task in the slot of AWS. Returns its id. */
async function takeSlot(world: World, taskName = 'by hand'): Promise<string> {
  const { body } = await world.call('POST', '/export-tasks', { ...createBody, taskName });
  return body.taskId;
}

describe('GET /targets/{target}', () => {
  test('returns a free slot', async () => {
    await using world = await openWorld({ emulator: { startAt: now } });

    const answer = await showTarget(world);

    expect(answer.body).toEqual({
      name: 'default',
      region,
      state: 'ready',
      since: expect.stringMatching(/^20.*Z$/),
      accountId: '123456789012',
      isDefault: true,
      slot: { state: 'free', seenAt: instant(now) },
    });
  });

  test('returns the task in the slot when it belongs to no job', async () => {
    await using world = await openWorld({ emulator: { ...emulator, startAt: now } });
    const taskId = await takeSlot(world);

    const { body } = await showTarget(world);

    expect(body.slot).toEqual({
      state: 'foreign',
      taskId,
      taskName: 'by hand',
      logGroupName: '/app',
      since: instant(now),
      seenAt: instant(now),
    });
  });

  test('makes one call to AWS in five seconds for all callers', async () => {
    await using world = await openWorld({ jobs: {} });

    const answers = await Promise.all(Array.from({ length: 100 }, () => showTarget(world)));

    expect(answers.every(({ status }) => status === 200)).toBe(true);
    expect(countAwsCalls(world)).toBe(1);
  });

  test('returns 404 for a target that is not configured', async () => {
    await using world = await openWorld();

    const { status, body } = await world.call('GET', '/targets/none');

    expect([status, body.type]).toEqual([404, '/problems/target-not-found']);
  });

  test('returns the problem when the call to AWS fails', async () => {
    await using world = await openWorld();
    const fault = { kind: 'error', status: 400, code: 'AccessDeniedException' } as const;
    world.emulator.faults.add({ operation: 'DescribeExportTasks', ...fault });

    const { status, body } = await showTarget(world);

    expect([status, body.type]).toEqual([403, '/problems/service-role-not-permitted']);
  });
});

describe.each(storageBackends)(
  'GET /targets/{target} with export jobs on %s',
  (_name, openStorage) => {
    test('returns the slice in the slot and the queue, without a call to AWS', async () => {
      await using world = await openWorld({ jobs: { ...(await openStorage()), clock } });
      const { database } = world;
      const jobId = await insertJob(database, {
        slices: [{ state: 'completed' }, { state: 'running' }, {}, { readyAt: now + 1 }],
      });
      await insertJob(database, { caller: 'urgent', priority: 9, slices: [{}] });
      await insertJob(database, { target: 'elsewhere', slices: [{}] });
      const times = { submittedAt: minutesAgo(15), taskCreatedAt: minutesAgo(15) + 1_000 };
      await insertAttempt(database, { jobId, slice: 1, taskId: 'the-task', ...times });

      const { body } = await showTarget(world);

      expect(body).toMatchObject({
        slot: {
          state: 'ours',
          jobId,
          slice: 1,
          taskId: 'the-task',
          since: instant(times.taskCreatedAt),
          seenAt: instant(now),
        },
        queue: {
          waiting: 3,
          ready: 2,
          callers: [
            { priority: 9, caller: 'urgent', waiting: 1, ready: 1 },
            { priority: 0, caller: 'anonymous', waiting: 2, ready: 1 },
          ],
        },
        busyShareLastHour: 0.25,
      });
      expect(countAwsCalls(world)).toBe(0);
    });

    test('returns a slice that has no task yet', async () => {
      await using world = await openWorld({ jobs: { ...(await openStorage()), clock } });
      const jobId = await insertJob(world.database, { slices: [{ state: 'starting' }] });
      await insertAttempt(world.database, { jobId, submittedAt: minutesAgo(1) });

      const { body } = await showTarget(world);

      const since = instant(minutesAgo(1));
      expect(body.slot).toEqual({ state: 'ours', jobId, slice: 0, since, seenAt: instant(now) });
      expect(body.busyShareLastHour).toBe(0);
    });

    test.for([
      ['19 s ago is used', 19_000, 'seen-by-the-owner', 0],
      ['21 s ago is read from AWS again', 21_000, undefined, 1],
    ] as const)(
      'a foreign task that the owner of the slot saw %s',
      async ([, ageMs, taskId, expectedCalls]) => {
        await using world = await openWorld({ jobs: { ...(await openStorage()), clock } });
        const slot = { target: 'default', accountId: '123456789012', region, owner: null };
        await world.database.queries
          .insertInto('slots')
          .values({
            ...slot,
            foreignTaskId: 'seen-by-the-owner',
            foreignLogGroupName: '/theirs',
            foreignSince: minutesAgo(5),
            foreignSeenAt: now - ageMs,
          })
          .execute();

        const { body } = await showTarget(world);

        expect(body.slot.taskId).toBe(taskId);
        expect(body.slot.state).toBe(taskId ? 'foreign' : 'free');
        expect(countAwsCalls(world)).toBe(expectedCalls);
      },
    );

    test('does not show a task of its own that has just ended as foreign', async () => {
      await using world = await openWorld({ emulator, jobs: { ...(await openStorage()), clock } });
      const taskId = await takeSlot(world); // AWS still shows it active
      const jobId = await insertJob(world.database, { slices: [{ state: 'completed' }] });
      const times = { submittedAt: minutesAgo(30), endedAt: now };
      await insertAttempt(world.database, { jobId, taskId, ...times, outcome: 'completed' });

      const { body } = await showTarget(world);

      expect(body.slot.state).toBe('free');
      expect(body.busyShareLastHour).toBe(0.5);
    });
  },
);

describe('the busy share of the last hour', () => {
  const run = (from: number, to: number | null) => ({
    submittedAt: now - from * minuteMs,
    taskCreatedAt: null,
    taskCompletedAt: null,
    endedAt: to === null ? null : now - to * minuteMs,
  });

  test.for([
    ['nothing ran', [], 0],
    ['a run within it', [run(40, 10)], 0.5],
    ['a run that began before it', [run(90, 30)], 0.5],
    ['a run that has not ended', [run(15, null)], 0.25],
    ['runs that overlap, in any order', [run(30, 0), run(45, 15), run(40, 20)], 0.75],
    ['a run that ended before it', [run(200, 100)], 0],
    ['one of two days', [run(2_880, null)], 1],
  ] as const)('is right for %s', ([, tasks, share]) => {
    expect(busyShare(tasks, now)).toBe(share);
  });

  test('uses the times of AWS when they are known', () => {
    const times = { taskCreatedAt: minutesAgo(20), taskCompletedAt: minutesAgo(5) };

    expect(busyShare([{ ...run(30, 0), ...times }], now)).toBe(0.25);
  });
});
