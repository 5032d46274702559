import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { readEvents } from '#export-jobs/store/reads/read-events.ts';
import { readJobs } from '#export-jobs/store/reads/read-jobs.ts';
import { cancelJob } from '#export-jobs/store/requests/cancel-job.ts';
import { retryJob } from '#export-jobs/store/requests/retry-job.ts';
import { recordAffected } from '../../affected-rows.ts';
import { bringTo, givenJob, sliceProblem } from '../accepted-jobs.ts';
import { approvalOf } from '../caller-requests.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

describe.each(storageBackends)('cancel and retry, on %s', (_name, openStorage) => {
  const clock = { now: 1_700_000_000_000 };
  let database: Database;
  beforeAll(async () => {
    database = await openStore(openStorage, () => clock.now);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const me = approvalOf('anonymous');
  const statesOf = async (jobId: string) => {
    const query = database.queries.selectFrom('slices').select('state').orderBy('number');
    return (await query.where('jobId', '=', jobId).execute()).map(({ state }) => state);
  };
  const eventsOf = async (jobId: string) =>
    (await readEvents(database.queries, jobId, 0)).map(({ type, data }) => [type, data]);
  const jobOf = async (jobId: string) => (await readJobs(database, [jobId])).get(jobId)?.job;

  test('cancels waiting slices, and leaves active and ended ones', async () => {
    const target = randomUUID();
    const jobId = await givenJob(database, 5, { facts: { target } });
    await bringTo(database, jobId, 0, 'completed');
    await bringTo(database, jobId, 1, 'failed', sliceProblem('export-task-failed'));
    await bringTo(database, jobId, 2, 'running');

    const outcome = await cancelJob(database, jobId, me);

    expect(outcome).toEqual({ target, slices: 2 });
    expect(await statesOf(jobId)).toEqual([
      'completed',
      'failed',
      'running',
      'cancelled',
      'cancelled',
    ]);
    expect((await eventsOf(jobId)).slice(-2)).toEqual([
      ['job-cancel-requested', {}],
      ['slices-cancelled', { slices: 2 }],
    ]);
    expect(await jobOf(jobId)).toMatchObject({ cancelRequestedAt: clock.now, version: 6 });
    await bringTo(database, jobId, 2, 'completed');
  });

  test('a second cancel changes nothing, not even its time', async () => {
    const jobId = await givenJob(database, 2, { facts: { target: randomUUID() } });
    await bringTo(database, jobId, 0, 'running'); // so that it has not ended by the first
    await cancelJob(database, jobId, me);
    const before = await jobOf(jobId);
    clock.now += 60_000;

    const outcome = await cancelJob(database, jobId, me);

    expect(outcome).toMatchObject({ slices: 0 });
    expect(await jobOf(jobId)).toEqual(before);
  });

  test.each(['completed', 'failed'] as const)(
    'a cancel does not change a job that is %s',
    async (state) => {
      const jobId = await givenJob(database, 1);
      await bringTo(database, jobId, 0, state);
      const before = await jobOf(jobId);

      await cancelJob(database, jobId, me);

      expect(await jobOf(jobId)).toEqual(before);
      expect(before).toMatchObject({ cancelRequestedAt: null, version: 2 });
    },
  );

  test('a retry returns failed slices to the queue at once, with new counts', async () => {
    const jobId = await givenJob(database, 3);
    await bringTo(database, jobId, 0, 'completed');
    for (const slice of [1, 2]) {
      await bringTo(database, jobId, slice, 'failed', sliceProblem('export-task-failed'));
    }
    await database.queries.updateTable('slices').set({ failures: 5 }).execute();

    const { slices } = await retryJob(database, jobId, me, 0);

    expect(slices).toBe(2);
    const { queries } = database;
    const rows = await queries
      .selectFrom('slices')
      .selectAll()
      .where('jobId', '=', jobId)
      .execute();
    const again = { state: 'waiting', failures: 0, problem: null, readyAt: clock.now };
    expect(rows).toMatchObject([{ state: 'completed', failures: 5 }, again, again]);
    expect((await eventsOf(jobId)).at(-1)).toEqual(['slices-retried', { slices: 2 }]);
  });

  test('a retried slice still waits until its log events are exportable', async () => {
    const jobId = await givenJob(database, 3);
    const [past, future] = [clock.now - 1, clock.now + 3_600_000];
    for (const [number, notBeforeAt] of [null, past, future].entries()) {
      await bringTo(database, jobId, number, 'failed', sliceProblem('destination-not-found'));
      await database.queries
        .updateTable('slices')
        .set({ notBeforeAt, readyAt: notBeforeAt ?? past })
        .where('jobId', '=', jobId)
        .where('number', '=', number)
        .execute();
    }

    await retryJob(database, jobId, me, 0);

    const rows = database.queries.selectFrom('slices').select('readyAt').orderBy('number');
    expect(await rows.where('jobId', '=', jobId).execute()).toEqual([
      { readyAt: clock.now },
      { readyAt: clock.now },
      { readyAt: future },
    ]);
  });

  test('a retry without failed slices changes nothing', async () => {
    const jobId = await givenJob(database, 2);

    expect(await retryJob(database, jobId, me, 0)).toMatchObject({ slices: 0 });

    expect(await jobOf(jobId)).toMatchObject({ version: 1 });
  });

  test('a retry after a cancel is rejected', async () => {
    const jobId = await givenJob(database, 2);
    await bringTo(database, jobId, 0, 'failed', sliceProblem('export-task-failed'));
    await cancelJob(database, jobId, me);

    const refused = retryJob(database, jobId, me, 0);

    await expect(refused).rejects.toMatchObject({
      slug: 'export-job-cancelled',
      detail: `The cancel of this job was requested at ${new Date(clock.now).toISOString()}.`,
    });
    expect(await statesOf(jobId)).toEqual(['failed', 'cancelled']);
  });

  test('ten concurrent cancels are one', async () => {
    const jobId = await givenJob(database, 100);

    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => cancelJob(database, jobId, me)),
    );

    expect(outcomes.map(({ slices }) => slices).sort((a, b) => b - a)).toEqual([
      100,
      ...Array(9).fill(0),
    ]);
    expect((await eventsOf(jobId)).map(([type]) => type)).toEqual([
      'job-accepted',
      'job-cancel-requested',
      'slices-cancelled',
    ]);
  });

  test('changes a large job in small statements', async () => {
    const jobId = await givenJob(database, 2_500, { facts: { target: randomUUID() } });
    const fail = database.queries.updateTable('slices').set({ state: 'failed' });
    await fail.where('jobId', '=', jobId).execute();
    const recorded = recordAffected(database);

    const retried = await retryJob(recorded.database, jobId, me, 0);
    const cancelled = await cancelJob(recorded.database, jobId, me);

    expect([retried.slices, cancelled.slices]).toEqual([2_500, 2_500]);
    expect(new Set(await statesOf(jobId))).toEqual(new Set(['cancelled']));
    expect(recorded.most()).toBe(1_000);
  });
});
