import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { acceptJob } from '#export-jobs/store/requests/accept-job.ts';
import { cancelJob } from '#export-jobs/store/requests/cancel-job.ts';
import { findJobOfKey } from '#export-jobs/store/requests/idempotency-key.ts';
import { retryJob } from '#export-jobs/store/requests/retry-job.ts';
import { bringTo, planOf, sliceProblem } from '../accepted-jobs.ts';
import { approvalOf, requestOf } from '../caller-requests.ts';
import { openStore, storageBackends } from '../storage-backends.ts';
import { beginAndHold, untilLockIsWaitedFor } from '../store/concurrent-transactions.ts';

const tooMany = { slug: 'too-many-waiting-slices' };

describe.each(storageBackends)('the limit of waiting slices, on %s', (_name, openStorage) => {
  let database: Database;
  let caller: string;
  beforeAll(async () => {
    database = await openStore(openStorage);
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(() => {
    caller = randomUUID();
  });

  const accept = (slices: number, maxWaitingSlices: number, more = {}) =>
    acceptJob(database, {
      jobId: randomUUID(),
      request: requestOf(caller),
      acceptedAt: 1_700_000_000_000,
      keyUse: undefined,
      plan: planOf(slices),
      maxWaitingSlices,
      ...more,
    });
  const waiting = async () => {
    const { slices } = await database.queries
      .selectFrom('slices')
      .select(({ fn }) => fn.countAll<number>().as('slices'))
      .where('caller', '=', caller)
      .where('state', '=', 'waiting')
      .executeTakeFirstOrThrow();
    return slices;
  };

  test('is exact over all targets and priorities, and one slice more writes nothing', async () => {
    const keyUse = { key: 'one-more', digest: 'x' };
    await accept(4, 10, { plan: planOf(4, { priority: 5 }) });
    await accept(6, 10, { plan: planOf(6, { target: 'other' }) });

    const refused = accept(1, 10, { keyUse });

    await expect(refused).rejects.toMatchObject({
      ...tooMany,
      detail: 'You have 10 waiting slices. With 1 more you would exceed the limit of 10.',
      retryAfterSeconds: 60,
      members: { isRetryable: true },
    });
    expect(await waiting()).toBe(10);
    expect(await findJobOfKey(database.queries, caller, keyUse)).toBeUndefined();
  });

  test('is separate for each caller', async () => {
    await accept(10, 10);
    caller = randomUUID();

    await expect(accept(10, 10)).resolves.toEqual(expect.any(String));
  });

  test('is stated with a singular', async () => {
    await accept(1, 1);

    await expect(accept(1, 1)).rejects.toMatchObject({
      detail: 'You have 1 waiting slice. With 1 more you would exceed the limit of 1.',
    });
  });

  test('is not retryable for a job that alone exceeds it', async () => {
    await expect(accept(11, 10)).rejects.toMatchObject({ members: { isRetryable: false } });
  });

  test('of 0 means no limit', async () => {
    await accept(2_000, 0);

    await expect(accept(2_000, 0)).resolves.toEqual(expect.any(String));
  });

  test('does not count slices that no longer wait', async () => {
    const jobId = await accept(10, 10);
    await bringTo(database, jobId, 0, 'completed');
    await accept(1, 10);
    await expect(accept(1, 10)).rejects.toMatchObject(tooMany);

    await cancelJob(database, jobId, approvalOf(caller));

    await expect(accept(9, 10)).resolves.toEqual(expect.any(String));
  });

  test('does not reject a key that already has its job', async () => {
    const keyUse = { key: 'known', digest: 'x' };
    const jobId = await accept(10, 10, { keyUse });

    expect(await accept(10, 10, { keyUse })).toBe(jobId);
  });

  test('holds for a retry, for the caller of the job', async () => {
    const jobId = await accept(5, 10);
    for (const slice of [0, 1]) {
      await bringTo(database, jobId, slice, 'failed', sliceProblem('export-task-failed'));
    }
    await accept(6, 10); // nine wait
    const retry = (most: number) => retryJob(database, jobId, approvalOf('somebody else'), most);

    await expect(retry(10)).rejects.toMatchObject(tooMany);
    expect(await waiting()).toBe(9);
    expect(await retry(11)).toMatchObject({ slices: 2 });
    expect(await retry(1)).toMatchObject({ slices: 0 }); // nothing has failed, so nothing is rejected
  });

  test('is exact for fifty concurrent jobs and retries', async () => {
    const failed = await accept(5, 0);
    for (const slice of [0, 1, 2, 3, 4]) {
      await bringTo(database, failed, slice, 'failed', sliceProblem('export-task-failed'));
    }

    const asked = Array.from({ length: 50 }, (_, n) =>
      n % 10 === 9 ? retryJob(database, failed, approvalOf(caller), 20) : accept(3, 20),
    );
    const answers = await Promise.allSettled(asked);

    const refusals = answers.filter((answer) => answer.status === 'rejected');
    expect(refusals.map(({ reason }) => reason)).toEqual(
      refusals.map(() => expect.objectContaining(tooMany)),
    );
    expect(await waiting()).toBeLessThanOrEqual(20);
    expect(await waiting()).toBeGreaterThan(17); // less is left than the smallest job needs
  });
});

test('on PostgreSQL lets a job wait for an uncommitted one of the same caller', async () => {
  const [, openStorage] = storageBackends[1] as (typeof storageBackends)[0];
  await using database = await openStore(openStorage);
  const acceptance = {
    request: requestOf('ann'),
    acceptedAt: 1,
    keyUse: undefined,
    maxWaitingSlices: 10,
    plan: planOf(6),
  };
  const first = await beginAndHold(database, async (queries) => {
    const inside = {
      ...database,
      transaction: (act: (inside: typeof queries) => unknown) => act(queries),
    };
    await acceptJob(inside as Database, { ...acceptance, jobId: randomUUID() });
  });

  const second = acceptJob(database, { ...acceptance, jobId: randomUUID() }).catch(
    (error) => error,
  );
  await untilLockIsWaitedFor(database);
  await first.commit();

  expect(await second).toMatchObject(tooMany);
});
