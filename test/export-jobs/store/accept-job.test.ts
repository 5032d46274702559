import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { readHeads } from '#export-jobs/store/reads/read-heads.ts';
import { acceptJob } from '#export-jobs/store/requests/accept-job.ts';
import { digestOf, findJobOfKey } from '#export-jobs/store/requests/idempotency-key.ts';
import { Problem } from '#problems/problem.ts';
import { planOf } from '../accepted-jobs.ts';
import { requestOf } from '../caller-requests.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

const unburdened = { lastTenth: 0, watchedUntil: 0, asideUntil: 0 };

describe.each(storageBackends)('accepting a job on %s', (_name, openStorage) => {
  let database: Database;
  beforeAll(async () => {
    database = await openStore(openStorage);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const accepting = (slices: number, key?: string, digest = 'one') => ({
    jobId: randomUUID(),
    request: requestOf('anonymous'),
    acceptedAt: 1_700_000_000_000,
    keyUse: key === undefined ? undefined : { key, digest },
    plan: planOf(slices),
    maxWaitingSlices: 0,
  });
  const count = async (table: 'jobs' | 'slices' | 'events', jobId: string) => {
    const rows = await database.queries
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('rows'))
      .where(table === 'jobs' ? 'id' : 'jobId', '=', jobId)
      .executeTakeFirstOrThrow();
    return rows.rows;
  };

  test('writes the job, every slice, its queue and the first event', async () => {
    const acceptance = accepting(10_000);

    const jobId = await acceptJob(database, acceptance);

    expect(jobId).toBe(acceptance.jobId);
    expect(await count('slices', jobId)).toBe(10_000);
    const { queries } = database;
    expect(
      await queries
        .selectFrom('slices')
        .selectAll()
        .where('jobId', '=', jobId)
        .where('number', '=', 9_999)
        .executeTakeFirst(),
    ).toEqual({
      ...acceptance.plan.slices.at(-1),
      jobId,
      target: 'default',
      caller: 'anonymous',
      priority: 0,
      state: 'waiting',
      attempt: 0,
      failures: 0,
      misses: 0,
      parent: null,
      problem: null,
    });
    expect(await queries.selectFrom('lines').selectAll().execute()).toEqual([
      { target: 'default', priority: 0, caller: 'anonymous', lastTurn: 0, ...unburdened },
    ]);
    const events = await queries
      .selectFrom('events')
      .selectAll()
      .where('jobId', '=', jobId)
      .execute();
    expect(events).toMatchObject([{ version: 1, type: 'job-accepted', data: '{"slices":10000}' }]);
    expect((await readHeads(database, [jobId])).get(jobId)).toMatchObject({ version: 1 });
  });

  test('keeps the last start of an existing queue', async () => {
    const queue = { target: 'default', priority: 7, caller: 'anonymous' };
    await database.queries
      .insertInto('lines')
      .values({ ...queue, lastTurn: 41 })
      .execute();
    const { plan, ...rest } = accepting(1);

    await acceptJob(database, { ...rest, plan: { ...plan, job: { ...plan.job, priority: 7 } } });

    const { queries } = database;
    const found = await queries.selectFrom('lines').selectAll().where('priority', '=', 7).execute();
    expect(found).toEqual([{ ...queue, lastTurn: 41, ...unburdened }]);
  });

  test('returns the first of fifty concurrent jobs with one key', async () => {
    const acceptances = Array.from({ length: 50 }, () => accepting(2, 'fifty'));

    const ids = await Promise.all(acceptances.map((each) => acceptJob(database, each)));

    expect(new Set(ids).size).toBe(1);
    const rows = await Promise.all(acceptances.map(({ jobId }) => count('jobs', jobId)));
    expect(rows.reduce((sum, each) => sum + each)).toBe(1);
  });

  test('rejects a key that came with another request, and writes nothing', async () => {
    await acceptJob(database, accepting(1, 'twice'));
    const other = accepting(1, 'twice', 'another');

    const refused = acceptJob(database, other);

    await expect(refused).rejects.toMatchObject({ slug: 'idempotency-key-reused' });
    expect(await count('jobs', other.jobId)).toBe(0);
  });

  test('keeps the keys of callers apart', async () => {
    await acceptJob(database, accepting(1, 'mine'));

    const found = await findJobOfKey(database.queries, 'somebody else', {
      key: 'mine',
      digest: 'x',
    });

    expect(found).toBeUndefined();
  });

  test('stores neither key nor job after a failure', async () => {
    const acceptance = accepting(1, 'failed');
    const [slice] = acceptance.plan.slices;
    if (slice) acceptance.plan.slices.push(slice); // a number that exists already

    await expect(acceptJob(database, acceptance)).rejects.toThrow();

    const keyUse = { key: 'failed', digest: 'one' };
    expect(await findJobOfKey(database.queries, 'anonymous', keyUse)).toBeUndefined();
    expect(await count('jobs', acceptance.jobId)).toBe(0);
  });

  describe('a database failure at COMMIT', () => {
    const away = new Problem('database-unavailable', 'The database does not answer.');
    const losing = (afterCommit: boolean): Database => ({
      ...database,
      async transaction(act) {
        if (afterCommit) await database.transaction(act);
        throw away;
      },
    });

    test('returns the job if COMMIT took effect', async () => {
      const acceptance = accepting(2);

      const jobId = await acceptJob(losing(true), acceptance);

      expect(jobId).toBe(acceptance.jobId);
      expect(await count('slices', jobId)).toBe(2);
    });

    test('is reported if COMMIT had no effect', async () => {
      await expect(acceptJob(losing(false), accepting(2))).rejects.toBe(away);
    });

    test('is reported if the database stays unreachable', async () => {
      const queries = new Proxy(database.queries, {
        get() {
          throw away;
        },
      });

      const accepted = acceptJob({ ...losing(true), queries }, accepting(2));

      await expect(accepted).rejects.toBe(away);
    });
  });
});

describe('the digest of a request', () => {
  test('does not depend on the order of members', () => {
    const one = digestOf({ body: { a: 1, b: { c: [1, 2], d: 2n } }, target: 'x' });
    const other = digestOf({ target: 'x', body: { b: { d: 2n, c: [1, 2] }, a: 1 } });

    expect(one).toBe(other);
    expect(one).toMatch(/^[\w-]{43}$/);
  });

  test.each([
    ['a value', { a: 1 }, { a: 2 }],
    ['a type', { a: 1 }, { a: '1' }],
    ['the order of an array', { a: [1, 2] }, { a: [2, 1] }],
    ['a digit beyond 2^53', { a: 2n ** 60n }, { a: 2n ** 60n - 1n }],
    ['a name', { a: 1 }, { b: 1 }],
    ['where a member is', { a: { b: 1 } }, { a: {}, b: 1 }],
  ])('differs for %s', (_name, one, other) => {
    expect(digestOf(one)).not.toBe(digestOf(other));
  });
});
