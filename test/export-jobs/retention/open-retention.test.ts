import { beforeEach, expect, onTestFinished, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { deletedJobs } from '#diagnostics/exports.ts';
import { openRetention } from '#export-jobs/retention/open-retention.ts';
import { Problem } from '#problems/problem.ts';
import { openStore } from '../storage-backends.ts';
import { dayMs, idsIn, putJob, start } from './ended-jobs.ts';

const minuteMs = 60_000;
const clock = { now: start };
let database: Database;
let lines: object[];
beforeEach(async () => {
  clock.now = start;
  lines = [];
  database = await openStore(
    async () => ({}),
    () => clock.now,
  );
  onTestFinished(() => database[Symbol.asyncDispose]());
});

/** Runs the deletion until a time. Its sleeps advance the clock. */
async function runUntil(at: number, seen = database): Promise<void> {
  const write = (level: string) => (facts: object, text: string) =>
    void lines.push({ level, text, ...facts });
  const isOver = Promise.withResolvers<void>();
  const retention = openRetention({
    database: seen,
    owner: 'a replica',
    keep: { finishedJobsMs: 90 * dayMs, auditMs: 400 * dayMs },
    elapsed: () => clock.now,
    log: { info: write('info'), warn: write('warn'), error: write('error') },
    async sleep(ms, signal) {
      if (clock.now + ms < at) {
        clock.now += ms;
        return;
      }
      isOver.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  });
  await isOver.promise;
  await retention.close();
}

test('logs one line for each purge that deleted something', async () => {
  await putJob(database, { slices: 7 });
  await putJob(database, { slices: 5, key: 'a key' });
  clock.now = start + 90 * dayMs;
  const published: object[] = [];
  onTestFinished(deletedJobs.subscribe((message) => published.push(message)));

  await runUntil(clock.now + 60 * minuteMs);

  expect(published).toEqual([{ jobs: 2 }]);

  expect(lines).toEqual([
    {
      level: 'info',
      text: 'deleted old rows',
      jobs: 2,
      slices: 12,
      attempts: 12,
      events: 4,
      queues: 2,
      tookMs: minuteMs,
    },
  ]);
  expect(await idsIn(database, 'slices')).toEqual([]);
});

test('logs nothing when there is nothing to delete', async () => {
  await putJob(database);

  await runUntil(start + 60 * minuteMs);

  expect(lines).toEqual([]);
});

test('logs a lasting failure twice, with what to do, and that it is over', async () => {
  await putJob(database);
  clock.now = start + 90 * dayMs;
  const brokenUntil = clock.now + 5 * 60 * minuteMs;
  const failure = new Error('permission denied for table slices');
  const breaking: Database = {
    ...database,
    async transaction(act) {
      if (clock.now < brokenUntil) throw failure;
      return database.transaction(act);
    },
  };

  await runUntil(clock.now + 6 * 60 * minuteMs, breaking);

  const remedy = expect.stringMatching(/^Check that the database answers/);
  const text = 'failed to delete old rows, retrying';
  expect(lines).toEqual([
    {
      level: 'warn',
      text,
      problem: undefined,
      err: failure,
      failures: 1,
      retryInMs: 10_000,
      remedy,
    },
    {
      level: 'error',
      text,
      problem: undefined,
      err: failure,
      failures: 8,
      retryInMs: 900_000,
      remedy,
    },
    { level: 'info', text: 'deletion of old rows works again', failures: expect.any(Number) },
    expect.objectContaining({ level: 'info', text: 'deleted old rows', jobs: 1 }),
  ]);
});

test('names the problem of a database that is unavailable', async () => {
  clock.now = start + 90 * dayMs;
  const away = new Problem('database-unavailable', 'It is away.', { cause: new Error('refused') });
  const transaction = async () => {
    throw away;
  };

  await runUntil(clock.now + 2 * minuteMs, { ...database, transaction });

  expect(lines).toMatchObject([{ problem: 'database-unavailable', err: away.cause }]);
});

test('does not begin before the tables are there, and closes meanwhile', async () => {
  const whenMigrated = new Promise<void>(() => {});
  const retention = openRetention({
    database: { ...database, whenMigrated },
    owner: 'a replica',
    keep: { finishedJobsMs: 1, auditMs: 1 },
    elapsed: () => 0,
    sleep: async () => {
      throw new Error('slept');
    },
    log: { info() {}, warn() {}, error() {} },
  });

  await retention.close();
});
