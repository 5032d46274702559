import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { readEvents } from '#export-jobs/store/reads/read-events.ts';
import { cancelJob } from '#export-jobs/store/requests/cancel-job.ts';
import { retryJob } from '#export-jobs/store/requests/retry-job.ts';
import { bringTo, givenJob, sliceProblem } from '../accepted-jobs.ts';
import { approvalOf } from '../caller-requests.ts';
import { openQueue } from '../open-queue.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

describe.each(storageBackends)('the end of a job, on %s', (_name, openStorage) => {
  const clock = { now: 1_700_000_000_000 };
  let database: Database;
  beforeAll(async () => {
    database = await openStore(openStorage, () => clock.now++); // each reading is another instant
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const me = approvalOf('anonymous');
  const endOf = async (jobId: string) => {
    const query = database.queries.selectFrom('jobs').select('endedAt').where('id', '=', jobId);
    return (await query.executeTakeFirstOrThrow()).endedAt;
  };
  const lastEventOf = async (jobId: string) =>
    (await readEvents(database.queries, jobId, 0)).at(-1)?.at;

  test.each(['completed', 'failed', 'cancelled'] as const)(
    'is stored when its last slice is %s, with the time of the event',
    async (state) => {
      const jobId = await givenJob(database, 2);
      expect(await endOf(jobId)).toBeNull();
      await bringTo(database, jobId, 1, 'completed');
      expect(await endOf(jobId)).toBeNull();

      await bringTo(database, jobId, 0, state, sliceProblem('export-task-failed'));

      expect(await endOf(jobId)).toEqual(expect.any(Number));
      expect(await endOf(jobId)).toBe(await lastEventOf(jobId));
    },
  );

  test('is stored by a cancel that leaves no slice in the slot, and not before', async () => {
    const waiting = await givenJob(database, 3);
    const running = await givenJob(database, 3, { facts: { target: 'another' } });
    await bringTo(database, running, 0, 'running');

    await cancelJob(database, waiting, me);
    await cancelJob(database, running, me);

    expect(await endOf(waiting)).toBe(await lastEventOf(waiting));
    expect(await endOf(running)).toBeNull();
    await bringTo(database, running, 0, 'cancelled');
    expect(await endOf(running)).toBe(await lastEventOf(running));
  });

  test('is cleared by a retry', async () => {
    const jobId = await givenJob(database, 1);
    await bringTo(database, jobId, 0, 'failed', sliceProblem('export-task-failed'));

    await retryJob(database, jobId, me, 0);

    expect(await endOf(jobId)).toBeNull();
  });
});

test.each(['sqlite', 'postgres'] as const)(
  'the dispatcher stores the end of a job with its last slice, in %s',
  async (backend) => {
    await using queue = await openQueue({ backend });
    const jobId = await queue.put({ slices: 2 });
    const { queries } = queue.database;
    const job = () =>
      queries.selectFrom('jobs').select('endedAt').where('id', '=', jobId).executeTakeFirst();
    await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'completed');
    expect(await job()).toEqual({ endedAt: null });

    await queue.runUntilDone();

    const last = (await readEvents(queries, jobId, 0)).at(-1);
    expect(last?.type).toBe('slice-completed');
    expect(await job()).toEqual({ endedAt: last?.at });
  },
);
