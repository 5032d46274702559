import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { readHeads } from '#export-jobs/store/reads/read-heads.ts';
import { readJobs } from '#export-jobs/store/reads/read-jobs.ts';
import { retryJob } from '#export-jobs/store/requests/retry-job.ts';
import { emptyStorage } from '../../database/homes.ts';
import { openReady } from '../../ready-database.ts';
import { bringTo, givenJob, sliceProblem } from '../accepted-jobs.ts';
import { approvalOf } from '../caller-requests.ts';
import { beginAndHold, untilLockIsWaitedFor } from '../store/concurrent-transactions.ts';
import { dayMs, idsIn, purgeOnce, putJob, start } from './ended-jobs.ts';

const hourMs = 3_600_000;
const finishedJob = {
  target: 'default',
  caller: 'anonymous',
  priority: 0,
  sliceBy: 'none',
  fromAt: 0,
  toAt: 1,
  destination: 'archive',
  destinationPrefix: 'x',
  isUnsettledAllowed: 0 as const,
  acceptedAt: start,
  version: 1,
};

describe.each(['sqlite', 'postgres'] as const)('the purge, on %s', (kind) => {
  const clock = { now: start };
  let database: Database;
  let reopen: () => Promise<Database>;
  beforeAll(async () => {
    const storage = await emptyStorage(kind, afterAll);
    reopen = () => openReady({ ...storage, clock: () => clock.now });
    database = await reopen();
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(async () => {
    clock.now = start;
    for (const table of ['events', 'attempts', 'slices', 'jobs', 'strays'] as const)
      await database.queries.deleteFrom(table).execute();
    for (const table of ['deletedJobs', 'idempotencyKeys'] as const)
      await database.queries.deleteFrom(table).execute();
    await database.queries.updateTable('purge').set({ owner: null }).execute();
  });

  const slicesOf = async (jobId: string) =>
    (
      await database.queries
        .selectFrom('slices')
        .select('number')
        .where('jobId', '=', jobId)
        .execute()
    ).length;
  /** Purges as the service does: again when the rest of the deleted jobs is due. */
  const purgeAll = async (
    ...options: Parameters<typeof purgeOnce> extends [unknown, ...infer Rest] ? Rest : never
  ) => {
    const { dueInMs } = await purgeOnce(database, ...options);
    clock.now += dueInMs ?? 0;
    return purgeOnce(database, ...options);
  };

  test('deletes jobs with slices, attempts and events when they ended long ago, and keeps others', async () => {
    const old = await putJob(database, { slices: 3 });
    clock.now += hourMs;
    const young = await putJob(database, { slices: 2 });
    clock.now = start + 90 * dayMs;

    await purgeAll();

    for (const table of ['jobs', 'slices', 'attempts', 'events'] as const) {
      expect(await idsIn(database, table), table).toEqual([young]);
    }
    expect(await slicesOf(young)).toBe(2);
    expect(await database.queries.selectFrom('deletedJobs').selectAll().execute()).toEqual([
      { id: old, caller: 'anonymous', deletedAt: start + 90 * dayMs, rest: 'key' },
    ]);
  });

  test('keeps everything when jobs are never deleted', async () => {
    const jobId = await putJob(database);
    clock.now += 10_000 * dayMs;

    await purgeAll({ keep: { finishedJobsMs: 0, auditMs: 0 } });

    expect(await idsIn(database, 'events')).toEqual([jobId]);
  });

  test('deletes the job that ended longest ago first', async () => {
    const jobs = Array.from({ length: 150 }, (_, n) => ({ jobId: `job-${n}`, endedAt: start + n }));
    await database.queries
      .insertInto('jobs')
      .values(jobs.map(({ jobId, endedAt }) => ({ ...finishedJob, id: jobId, endedAt })))
      .execute();
    await database.queries
      .insertInto('events')
      .values(jobs.map(({ jobId, endedAt: at }) => ({ jobId, at, version: 1, type: '', data: '' })))
      .execute();
    clock.now = start + 200 * dayMs;
    let left: string[] = [];

    await purgeOnce(database, { elapsed: slowly() }, async (stop) => {
      left = await idsIn(database, 'jobs');
      if (left.length < jobs.length) stop();
    });

    expect(new Set(left)).toEqual(new Set(jobs.slice(100).map(({ jobId }) => jobId)));
  });

  const slowMs = 100;
  /** A clock by which each transaction takes long. */
  const slowly = () => {
    let elapsedMs = 0;
    return () => {
      elapsedMs += slowMs;
      return elapsedMs;
    };
  };

  test('shows a job whole or not at all, and deletes at most 500 slices in a transaction', async () => {
    const jobId = await putJob(database, { slices: 1_300 });
    clock.now += 91 * dayMs;
    const counts = [1_300];
    const look = async () => {
      const head = (await readHeads(database, [jobId])).get(jobId);
      const job = (await readJobs(database, [jobId])).get(jobId);
      counts.push(await slicesOf(jobId));
      if (head || job) expect(job?.counts.completed).toBe(1_300);
      return head !== undefined;
    };

    const { dueInMs } = await purgeOnce(database, {}, async () => void (await look()));
    expect(await look()).toBe(false);
    expect(await slicesOf(jobId)).toBe(1_300); // a request that found it before reads it whole
    clock.now += dueInMs ?? 0;
    const { deleted } = await purgeOnce(database, {}, async () => void (await look()));

    expect(dueInMs).toBe(60_000);
    expect(deleted).toMatchObject({ slices: 1_300, attempts: 1_300, events: 2 });
    const steps = counts.slice(1).map((count, index) => (counts[index] ?? 0) - count);
    expect(Math.max(...steps)).toBe(500);
    expect(counts.at(-1)).toBe(0);
  });

  test.each([1, 2, 3, 4, 5, 8])(
    'is continued by another replica after a kill behind transaction %i',
    async (transactions) => {
      for (let job = 0; job < 12; job += 1)
        await putJob(database, { slices: 3, key: `key ${job}` });
      const running = await putJob(database, { state: 'running' });
      clock.now += 91 * dayMs;
      let done = 0;
      await purgeOnce(database, {}, (stop) => {
        done += 1;
        if (done === transactions) stop();
      });
      await database[Symbol.asyncDispose]();

      database = await reopen();
      const soon = await purgeOnce(database, { owner: 'another replica' });
      clock.now += 180_000;
      await purgeAll({ owner: 'another replica' });

      expect(soon.deleted).toEqual({}); // the lease of the killed one lasts
      for (const table of ['jobs', 'slices', 'attempts', 'events'] as const) {
        expect(await idsIn(database, table), table).toEqual([running]);
      }
      const deleted = await database.queries.selectFrom('deletedJobs').select('rest').execute();
      expect(deleted).toEqual(Array(12).fill({ rest: 'key' }));
    },
  );

  test('is left to the replica that has begun', async () => {
    await putJob(database);
    await putJob(database);
    clock.now += 91 * dayMs;
    const others: unknown[] = [];

    const { deleted } = await purgeOnce(database, {}, async () => {
      others.push((await purgeOnce(database, { owner: 'another replica' })).deleted);
    });

    expect(deleted).toMatchObject({ jobs: 2 });
    expect(others.length).toBeGreaterThan(3);
    expect(others.filter((each) => Object.keys(each as object).length > 0)).toEqual([]);
  });

  test('goes on although the clock of the database was set back', async () => {
    await putJob(database);
    clock.now += 500 * dayMs;
    await purgeOnce(database, {}, (stop) => stop()); // killed: it keeps the lease
    clock.now -= 300 * dayMs;

    const { deleted } = await purgeOnce(database, { owner: 'another replica' });

    expect(deleted).toMatchObject({ jobs: 1 });
  });

  test.each(['waiting', 'starting', 'running', 'cancelling'] as const)(
    'never deletes a job with a slice that is %s',
    async (state) => {
      const jobId = await putJob(database, { state: 'completed', slices: 2 });
      await bringTo(database, jobId, 1, state);
      // An older replica retries a job without clearing its end.
      const stale = await putJob(database, { slices: 2 });
      await database.queries
        .updateTable('slices')
        .set({ state })
        .where('jobId', '=', stale)
        .where('number', '=', 1)
        .execute();
      clock.now += 1_000 * dayMs;

      await purgeAll();

      expect(new Set(await idsIn(database, 'jobs'))).toEqual(new Set([jobId, stale]));
      expect([await slicesOf(jobId), await slicesOf(stale)]).toEqual([2, 2]);
    },
  );

  test('deletes jobs that ended without a stored end: those of older versions', async () => {
    const withoutEnd = { endedAt: null };
    const old: string[] = [];
    for (let job = 0; job < 30; job += 1) old.push(await putJob(database));
    clock.now += hourMs;
    const open = await putJob(database, { state: 'waiting' });
    const young = await putJob(database);
    await database.queries.updateTable('jobs').set(withoutEnd).execute();
    clock.now = start + 90 * dayMs;

    await purgeAll();

    expect(new Set(await idsIn(database, 'jobs'))).toEqual(new Set([open, young]));
  });

  test('keeps a job for as long after an older replica retried it and it ended again', async () => {
    const jobId = await putJob(database);
    const first = await endOf(jobId);
    clock.now += 80 * dayMs;
    await bringTo(database, jobId, 0, 'failed', sliceProblem('export-task-failed'));
    await database.queries.updateTable('jobs').set({ endedAt: first }).execute(); // as it leaves it
    clock.now += 20 * dayMs;

    await purgeOnce(database);
    expect(await idsIn(database, 'jobs')).toEqual([jobId]);
    clock.now += 70 * dayMs;
    await purgeOnce(database);

    expect(await idsIn(database, 'jobs')).toEqual([]);
  });

  const endOf = async (jobId: string) => {
    const query = database.queries.selectFrom('jobs').select('endedAt').where('id', '=', jobId);
    return (await query.executeTakeFirstOrThrow()).endedAt;
  };

  const failedLongAgo = async () => {
    const jobId = await givenJob(database, 1, { acceptedAt: start });
    await bringTo(database, jobId, 0, 'failed', sliceProblem('export-task-failed'));
    clock.now += 91 * dayMs;
    return jobId;
  };

  test('a retry of a job that was just deleted is rejected with export-job-deleted', async () => {
    const jobId = await failedLongAgo();
    await purgeOnce(database);

    const retried = retryJob(database, jobId, approvalOf('anonymous'), 0);

    await expect(retried).rejects.toMatchObject({ slug: 'export-job-deleted' });
  });

  test('a job that is retried first is not deleted', async () => {
    const jobId = await failedLongAgo();

    await retryJob(database, jobId, approvalOf('anonymous'), 0);
    await purgeAll();

    expect(await idsIn(database, 'jobs')).toEqual([jobId]);
    expect(await endOf(jobId)).toBeNull();
  });

  test('keys outlive their job by seven days, and ids by 400 days', async () => {
    const jobId = await putJob(database, { key: 'of an old job' });
    const keys = async () =>
      (await database.queries.selectFrom('idempotencyKeys').select('jobId').execute()).length;
    const ids = async () =>
      (await database.queries.selectFrom('deletedJobs').select('id').execute()).map(({ id }) => id);
    clock.now += dayMs;
    await purgeAll({ keep: { finishedJobsMs: dayMs, auditMs: 0 } });
    const deletedAt = clock.now;

    clock.now = deletedAt - 60_000 + 7 * dayMs - 1;
    await purgeOnce(database);
    expect(await keys()).toBe(1);
    clock.now += 1;
    await purgeOnce(database);
    expect([await keys(), await ids()]).toEqual([0, [jobId]]);
    clock.now = deletedAt - 60_000 + 400 * dayMs - 1;
    await purgeOnce(database);
    expect(await ids()).toEqual([jobId]);
    clock.now += 1;
    await purgeOnce(database);

    expect(await ids()).toEqual([]);
  });

  test('deletes what is known of orphaned tasks after 400 days', async () => {
    const orphan = { target: 'default', marker: 'xp1', jobId: null };
    const { queries } = database;
    await queries
      .insertInto('strays')
      .values([
        { ...orphan, taskId: 'old', detectedAt: start },
        { ...orphan, taskId: 'young', detectedAt: start + 1 },
      ])
      .execute();
    clock.now = start + 400 * dayMs;

    await purgeOnce(database);

    const left = await queries.selectFrom('strays').select('taskId').execute();
    expect(left).toEqual([{ taskId: 'young' }]);
  });

  test('deletes the queues of callers whose last job was deleted', async () => {
    await database.queries.deleteFrom('lines').execute();
    await putJob(database, { caller: 'a pipeline of yesterday' });
    clock.now += hourMs;
    await putJob(database, { caller: 'somebody' });
    await database.queries
      .insertInto('callers')
      .values({ id: 'a pipeline of yesterday' })
      .execute();
    clock.now = start + 90 * dayMs;

    await purgeOnce(database);

    const queues = await database.queries.selectFrom('lines').select('caller').execute();
    expect(queues).toEqual([{ caller: 'somebody' }]);
    expect(await database.queries.selectFrom('callers').selectAll().execute()).toEqual([]);
  });

  test('takes fewer rows when transactions take long, and pauses for as long', async () => {
    await putJob(database, { slices: 700 });
    clock.now += 91 * dayMs;
    await purgeOnce(database);
    clock.now += 60_000;
    const pauses = new Set<number>();
    const left: number[] = [];

    await purgeOnce(database, {
      elapsed: slowly(),
      async sleep(ms) {
        pauses.add(Math.round(ms));
        left.push((await database.queries.selectFrom('slices').select('number').execute()).length);
      },
    });

    const steps = left.slice(1).map((count, index) => (left[index] ?? 0) - count);
    expect([Math.max(...steps), left.at(-1)]).toEqual([100, 0]);
    expect([...pauses]).toEqual([kind === 'sqlite' ? slowMs * 499 : slowMs * 19]);
  });
});

test('a job that is being accepted keeps its queue on PostgreSQL', async () => {
  await using database = await openReady(await emptyStorage('postgres'));
  const queue = { target: 'default', priority: 0, caller: 'anonymous' };
  await database.queries.insertInto('lines').values(queue).execute();
  const accepting = await beginAndHold(database, (queries) =>
    givenJob({ ...database, transaction: (act) => act(queries as never) }, 1),
  );

  await purgeOnce(database);
  await accepting.commit();

  const queues = await database.queries.selectFrom('lines').select('caller').execute();
  expect(queues).toEqual([{ caller: 'anonymous' }]);
});

test('a retry in progress keeps its job from being deleted on PostgreSQL', async () => {
  const clock = { now: start };
  await using database = await openReady({
    ...(await emptyStorage('postgres')),
    clock: () => clock.now,
  });
  const jobId = await givenJob(database, 1, { acceptedAt: start });
  await bringTo(database, jobId, 0, 'failed', sliceProblem('export-task-failed'));
  clock.now += 91 * dayMs;
  const retrying = await beginAndHold(database, (queries) =>
    retryJob(
      { ...database, transaction: (act) => act(queries as never) },
      jobId,
      approvalOf('anonymous'),
      0,
    ),
  );

  const purging = purgeOnce(database);
  await untilLockIsWaitedFor(database);
  await retrying.commit();
  await purging;

  expect(await idsIn(database, 'jobs')).toEqual([jobId]);
  const slices = await database.queries.selectFrom('slices').select('state').execute();
  expect(slices).toEqual([{ state: 'waiting' }]);
});
