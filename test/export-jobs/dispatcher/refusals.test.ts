import { describe, expect, test } from 'vitest';
import { showProblem } from '#export-jobs/export-job.ts';
import { startAt } from '../insert-hourly-job.ts';
import { openQueue, type Queue } from '../open-queue.ts';
import { hideBuckets } from './hide-buckets.ts';

const region = 'eu-west-1';
const minuteMs = 60_000;

const slotOf = ({ database }: Queue) =>
  database.queries.selectFrom('slots').selectAll().executeTakeFirstOrThrow();

const failuresOf = async ({ database }: Queue) =>
  (await database.queries.selectFrom('slices').select('failures').execute()).map(
    ({ failures }) => failures,
  );

/** The most calls in any minute. */
function maxInAMinute(queue: Queue, operation: string): number {
  const times = queue.calls(operation).map(({ at }) => at);
  return Math.max(
    ...times.map((at) => times.filter((other) => other >= at && other < at + minuteMs).length),
  );
}

describe('a slot with a foreign task', () => {
  test.each([2_000, 5_500, 12_000, 45_000, 150_000, 1_200_000])(
    'for %i ms is noticed as free within half a second and a fortieth of that time',
    async (durationMs) => {
      await using queue = await openQueue();
      queue.emulator.seed.foreignTask({ region, durationMs });
      await queue.put();

      await queue.runUntilDone();

      const createdAt = queue.calls('CreateExportTask').at(-1)?.at ?? 0;
      const waitMs = createdAt - (startAt + durationMs);
      const calls = queue.emulator.journal
        .entries()
        .filter(({ at, service }) => at < createdAt && service === 'logs');
      process.stdout.write(
        `foreign task of ${durationMs} ms: ours ${waitMs} ms later, ${calls.length} calls\n`,
      );
      const seconds = (createdAt - startAt) / 1_000;
      expect(waitMs).toBeLessThanOrEqual(500 + durationMs / 40);
      expect(calls.length).toBeLessThanOrEqual(9 + 1.2 * Math.min(seconds, 100) + seconds / 3);
    },
  );

  test('is polled without a create, and gets the slice as soon as it is free', async () => {
    await using queue = await openQueue({ random: () => 0 });
    const order = { destinationPrefix: 'theirs' };
    const taskId = queue.emulator.seed.foreignTask({ region, durationMs: 200_000, order });
    const jobId = await queue.put({ slices: 2 });

    await queue.time.runFor(180_000);
    const meanwhile = { states: await queue.states(jobId), slot: await slotOf(queue) };
    const asked = maxInAMinute(queue, 'DescribeExportTasks');
    const thirdMinute = startAt + 2 * minuteMs;
    const asks = queue.calls('DescribeExportTasks');
    const askedLater = asks.filter(({ at }) => at >= thirdMinute).length;
    const refused = queue.calls('CreateExportTask').length;
    await queue.runUntilDone();

    expect(meanwhile.states).toEqual(['waiting', 'waiting']);
    expect(meanwhile.slot).toMatchObject({
      foreignTaskId: taskId,
      foreignLogGroupName: '/somebody/else',
      foreignSince: startAt,
    });
    expect(asked).toBeLessThanOrEqual(70);
    expect(askedLater).toBeLessThanOrEqual(30);
    expect(refused).toBe(1);
    expect(await queue.states(jobId)).toEqual(['completed', 'completed']);
    expect(await failuresOf(queue)).toEqual([0, 0]);
    expect(await slotOf(queue)).toMatchObject({ foreignTaskId: null });
    const seen = queue.database.queries.selectFrom('foreignTasks').selectAll();
    const [history, ...others] = await seen.execute();
    expect(others).toEqual([]);
    expect(history).toMatchObject({
      target: 'default',
      taskId,
      logGroupName: '/somebody/else',
      destination: 'somebody-elses-bucket',
      destinationPrefix: 'theirs',
      beganAt: startAt,
    });
    expect(history?.seenUntil).toBeGreaterThanOrEqual(startAt + 200_000);
    expect(history?.seenUntil).toBeLessThanOrEqual(startAt + 204_500);
    const [, create] = queue.calls('CreateExportTask');
    expect((create?.at ?? 0) - (startAt + 200_000)).toBeLessThanOrEqual(4_500);
    const calls = queue.emulator.journal.entries();
    const before = calls[calls.findIndex(({ requestId }) => requestId === create?.requestId) - 1];
    expect(before).toMatchObject({ operation: 'DescribeExportTasks', at: create?.at });
  });

  test('just before our create keeps the place of the slice, also among callers', async () => {
    await using queue = await openQueue();
    const first = await queue.put({ caller: 'a', slices: 2 });
    const second = await queue.put({ caller: 'b' });
    queue.emulator.faults.add({
      kind: 'foreign-task',
      operation: 'CreateExportTask',
      durationMs: 30_000,
    });

    await queue.runUntilDone();

    const attempts = await queue.database.queries
      .selectFrom('attempts')
      .selectAll()
      .orderBy('submittedAt')
      .execute();
    expect(attempts.map(({ jobId, slice, outcome }) => [jobId, slice, outcome])).toEqual([
      [first, 0, 'refused'],
      [first, 0, 'completed'],
      [second, 0, 'completed'],
      [first, 1, 'completed'],
    ]);
    expect(await failuresOf(queue)).toEqual([0, 0, 0]);
  });

  test('before every second create starves no caller and fails no slice', async () => {
    await using queue = await openQueue();
    const jobs: string[] = [];
    for (const caller of ['a', 'b']) jobs.push(await queue.put({ caller, slices: 5 }));
    for (let skip = 0; skip < 10; skip++) {
      queue.emulator.faults.add({
        kind: 'foreign-task',
        operation: 'CreateExportTask',
        durationMs: 15_000,
        skip,
      });
    }

    await queue.runUntilDone();

    for (const jobId of jobs) expect(await queue.states(jobId)).toEqual(Array(5).fill('completed'));
    expect(await failuresOf(queue)).toEqual(Array(10).fill(0));
    expect(queue.calls('CreateExportTask')).toHaveLength(20);
  });
});

describe('throttled creates', () => {
  test('are sent again a second later or more, and all slices complete in the end', async () => {
    await using queue = await openQueue({ emulator: { pendingMs: 0, runningMs: 0 } });
    const jobId = await queue.put({ slices: 30 });
    const until = startAt + 300_000;
    while (queue.time.now() < until) {
      if (queue.emulator.faults.pending().length === 0) {
        queue.emulator.faults.add({
          kind: 'error',
          operation: 'CreateExportTask',
          code: 'ThrottlingException',
          count: 4,
          skip: 1,
        });
      }
      await queue.time.runFor(1_000);
    }
    const sent = queue.calls('CreateExportTask');
    queue.emulator.faults.clear();

    await queue.runUntilDone();

    for (const [index, { at, status }] of sent.slice(0, -1).entries()) {
      const pauseMs = (sent[index + 1]?.at ?? 0) - at;
      if (status !== 200) expect(pauseMs).toBeGreaterThanOrEqual(1_000);
    }
    expect(sent.filter(({ status }) => status !== 200).length).toBeGreaterThan(10);
    expect(await queue.states(jobId)).toEqual(Array(30).fill('completed'));
    expect(await failuresOf(queue)).toEqual(Array(30).fill(0));
  });
});

describe('the role of a target', () => {
  const roleArn = 'arn:aws:iam::123456789012:role/exporter';

  test('with an expired session fails no slice, and the queue continues afterwards', async () => {
    await using queue = await openQueue();
    queue.emulator.faults.add({
      kind: 'error',
      operation: 'CreateExportTask',
      code: 'ExpiredTokenException',
      count: 5,
    });
    const jobId = await queue.put({ slices: 3 });

    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['completed', 'completed', 'completed']);
    expect(await failuresOf(queue)).toEqual([0, 0, 0]);
    expect(queue.emulator.exportTasks()).toHaveLength(3);
  });

  test('while STS is down sends nothing, fails no slice, and continues within a minute', async () => {
    await using queue = await openQueue({ targets: [{ name: 'default', region, roleArn }] });
    queue.emulator.clock.advance(2 * 3_600_000); // the session of the account check has expired
    queue.emulator.faults.add({ kind: 'reset-before', operation: 'AssumeRole', count: 100_000 });
    const jobId = await queue.put({ slices: 2 });

    await queue.time.runFor(200_000);
    const meanwhile = await queue.states(jobId);
    queue.emulator.faults.clear();
    const returnedAt = queue.time.now();
    await queue.time.runUntil(() => queue.calls('CreateExportTask').length > 0);
    const resumedAt = queue.time.now();
    await queue.runUntilDone();

    expect(meanwhile).toEqual(['waiting', 'waiting']);
    expect(resumedAt - returnedAt).toBeLessThanOrEqual(62_000);
    expect(await queue.states(jobId)).toEqual(['completed', 'completed']);
    expect(await failuresOf(queue)).toEqual([0, 0]);
  });

  test('without permission to create fails its jobs, one per minute in the long run', async () => {
    await using queue = await openQueue({ random: () => 0 });
    const denied = {
      kind: 'error',
      operation: 'CreateExportTask',
      code: 'AccessDeniedException',
    } as const;
    queue.emulator.faults.add({ ...denied, count: 100_000 });
    const jobs: string[] = [];
    for (let job = 0; job < 100; job += 1) jobs.push(await queue.put());

    await queue.time.runFor(900_000);
    const last = startAt + 900_000;
    const late = queue.calls('CreateExportTask').filter(({ at }) => at > last - 600_000);

    expect(late.length).toBeLessThanOrEqual(10);
    expect(late.length).toBeGreaterThan(5);
    const failed = (await queue.slices()).filter(({ state }) => state === 'failed');
    expect(failed.length).toBeLessThan(jobs.length);
    expect(JSON.parse(failed[0]?.problem ?? '')).toMatchObject({
      type: '/problems/service-role-not-permitted',
    });
  });
});

describe('a slice that AWS refuses', () => {
  test.each([
    ['/problems/log-group-not-found', { logGroupName: '/gone' }],
    ['/problems/destination-not-found', { destination: 'gone' }],
    [
      '/problems/destination-not-writable',
      { destination: 'closed' },
      { bucketPolicy: expect.objectContaining({ Statement: expect.any(Array) }) },
    ],
  ])('fails with %s, and the others continue', async (type, wrong, help: object = {}) => {
    await using queue = await openQueue();
    hideBuckets(queue);
    queue.emulator.seed.bucket({ region, bucket: 'closed', policy: null });
    const bad = await queue.put({ slices: 2, ...wrong });
    const good = await queue.put({ slices: 2 });

    await queue.runUntilDone();

    expect(await queue.states(good)).toEqual(['completed', 'completed']);
    const problem = {
      type,
      title: expect.any(String),
      detail: expect.any(String),
      isRetryable: false,
      remedy: expect.any(String),
      awsErrorCode: expect.any(String),
      awsRequestId: expect.any(String),
    };
    const failed = (await queue.slices(bad)).map((slice) => ({
      ...slice,
      problem: JSON.parse(slice.problem ?? ''),
    }));
    expect(failed).toEqual([
      { state: 'failed', attempt: 1, problem: { ...problem, ...help } },
      { state: 'failed', attempt: 0, problem },
    ]);
    expect(queue.time.now() - startAt).toBeLessThan(30_000);
  });

  test('fails with the words of AWS if their explanation fails', async () => {
    const readBucketPolicy = async () => {
      throw new Error('defect');
    };
    await using queue = await openQueue({
      seeTarget: (target) => ({ ...target, storage: { ...target.storage, readBucketPolicy } }),
    });
    queue.emulator.seed.bucket({ region, bucket: 'closed', policy: null });
    const jobId = await queue.put({ destination: 'closed' });

    await queue.time.runFor(10_000);

    const [slice] = await queue.slices(jobId);
    expect(slice?.state).toBe('failed');
    expect(JSON.parse(slice?.problem ?? '')).toMatchObject({
      type: '/problems/destination-not-writable',
      detail: expect.stringContaining('GetBucketAcl'),
      awsRequestId: expect.any(String),
    });
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
    expect(queue.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        text: 'failed to explain why AWS refused a create',
        err: expect.objectContaining({ message: 'defect' }),
      }),
    );
  });

  test('returns the bucket policy that would permit it', async () => {
    await using queue = await openQueue();
    queue.emulator.seed.bucket({ region, bucket: 'closed', policy: null });
    const jobId = await queue.put({ destination: 'closed' });
    await queue.runUntilDone();
    const [slice] = await queue.slices(jobId);
    const { bucketPolicy } = showProblem(slice?.problem ?? '', '');

    queue.emulator.seed.bucket({ region, bucket: 'closed', policy: JSON.stringify(bucketPolicy) });
    const again = await queue.put({ destination: 'closed' });
    await queue.runUntilDone();

    expect(await queue.states(again)).toEqual(['completed']);
  });
});
