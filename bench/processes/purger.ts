import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';

import { anonymous } from '#auth/principal.ts';
import type { Database } from '#database/database.ts';
import { openDatabase } from '#database/open-database.ts';
import { pickNext } from '#export-jobs/queue/pick-next.ts';
import { readClock } from '#export-jobs/queue/read-queue.ts';
import { rowsDueInMs } from '#export-jobs/retention/deleted-jobs.ts';
import type { Deleted } from '#export-jobs/retention/deletion-step.ts';
import { purge } from '#export-jobs/retention/purge.ts';
import { readHeadPart, readHeads } from '#export-jobs/store/reads/read-heads.ts';
import { readJobs } from '#export-jobs/store/reads/read-jobs.ts';
import { acceptJob } from '#export-jobs/store/requests/accept-job.ts';
import { sleepUntilAborted } from '#time/sleep.ts';
import { patientLimits } from '../../test/ready-database.ts';
import { quantile } from '../round.ts';

interface Storage {
  databaseUrl?: string;
  dataDir: string;
}

/** What the purger does: one request at a time. */
export type PurgerRequest =
  /** Fills both with jobs that wait, and the second one with finished slices. */
  | { act: 'fill'; storages: [Storage, Storage]; finished: number }
  /** Measures requests on both, in alternation. The second one is purged meanwhile. */
  | { act: 'measure'; storages: [Storage, Storage]; rounds: number; roundMs: number }
  /** Purges without pauses until nothing is left. */
  | { act: 'finish'; storage: Storage };

/** The latencies of one operation, in milliseconds. */
interface Latencies {
  p50: number;
  p99: number;
}

/** The latencies of a database, by operation, and the longest of all. */
export interface LoadResult {
  operations: Record<'list' | 'get' | 'pick', Latencies>;
  longestMs: number;
}

/** The result of `measure`: of the database without finished slices, then of the one that is purged. */
export interface MeasureResult {
  results: [LoadResult, LoadResult];
  /** The rows that were deleted for each second of the purge. */
  rowsPerSecond: number;
}

/** The result of `finish`. */
export interface FinishResult {
  /** What was left when it began. */
  slices: number;
  rows: number;
  /** Jobs that were found, but without some of their slices, when it began. */
  partialJobs: number;
  tookMs: number;
  /** Waiting slices at the end. They must all be there. */
  waiting: number;
  /** Slices at the end that do not wait. */
  left: number;
}

const target = 'default';
const slicesPerJob = 100;
const waitingJobs = 20;
const oldAt = 1_500_000_000_000;
/** Between two requests. Shorter: they wait for one another. */
const everyMs = 10;
/** On a busy machine, more would wait for a connection until they fail. */
const maxInFlight = 5;
const keep = { finishedJobsMs: 90 * 86_400_000, auditMs: 400 * 86_400_000 };
const elapsed = () => performance.now();

process.on('disconnect', () => process.exit());
process.on('message', async (request: PurgerRequest) => process.send?.(await act(request)));
process.send?.({});

async function act(request: PurgerRequest) {
  if (request.act === 'fill') return fillBoth(request);
  return request.act === 'measure' ? measure(request) : finish(request);
}

async function open(storage: Storage): Promise<Database> {
  const database = await openDatabase({ ...storage, limits: patientLimits });
  await database.whenMigrated;
  return database;
}

async function fillBoth({ storages, finished }: Extract<PurgerRequest, { act: 'fill' }>) {
  for (const [index, storage] of storages.entries()) {
    await using database = await open(storage);
    if (index === 1) await fillFinished(database, finished / slicesPerJob);
    for (let job = 0; job < waitingJobs; job++) await accept(database);
  }
  return {};
}

async function measure({ storages, rounds, roundMs }: Extract<PurgerRequest, { act: 'measure' }>) {
  await using empty = await open(storages[0]);
  await using full = await open(storages[1]);
  const subjects = [empty, full].map((database) => ({
    database,
    latencies: { list: [], get: [], pick: [], accept: [] } as Record<string, number[]>,
  }));
  await sql`update deleted_jobs set deleted_at = 0`.execute(full.queries);
  const stop = new AbortController();
  const gate = makeGate();
  let rows = 0;
  let purgedMs = 0;
  const purging = (async () => {
    while (!stop.signal.aborted) {
      await purge(
        {
          database: full,
          owner: 'bench',
          keep,
          elapsed,
          async sleep(ms, signal) {
            await sleepUntilAborted(ms, signal);
            await gate.open();
          },
        },
        (deleted) => {
          rows += sum(deleted);
        },
        stop.signal,
      );
      await sql`update deleted_jobs set deleted_at = 0`.execute(full.queries);
    }
  })();
  for (const { database } of subjects) await load(database, roundMs / 5, {}); // warm-up
  for (let round = 0; round < rounds; round++) {
    for (const { database, latencies } of subjects) {
      if (database === full) gate.lift();
      await load(database, roundMs, latencies);
      if (database === full) {
        gate.lower();
        purgedMs += roundMs;
      }
    }
  }
  stop.abort();
  gate.lift();
  await purging;
  const results = subjects.map(({ latencies }) => ({
    operations: Object.fromEntries(
      ['list', 'get', 'pick'].map((name) => [name, summarize(latencies[name] ?? [])]),
    ),
    longestMs: Math.max(...Object.values(latencies).flat()),
  }));
  return { results, rowsPerSecond: (rows * 1_000) / purgedMs };
}

const summarize = (ms: number[]) => ({ p50: quantile(ms, 0.5), p99: quantile(ms, 0.99) });
const sum = (deleted: Deleted) => Object.values(deleted).reduce((all, rows) => all + rows, 0);

/** Lets the purge pass only while it is lifted. */
function makeGate() {
  let opened = Promise.withResolvers<void>();
  return {
    open: () => opened.promise,
    lift: () => opened.resolve(),
    lower() {
      opened = Promise.withResolvers();
    },
  };
}

/**
 * Sends requests at fixed times, however long they take. Each counts from its time on, so one that waits
 * for a transaction of the purge is not left out.
 */
async function load(database: Database, forMs: number, latencies: Record<string, number[]>) {
  const operations = Object.entries({ list, get, pick, accept });
  const beganAt = performance.now();
  const inFlight = new Set<Promise<void>>();
  for (let request = 0; request * everyMs < forMs; request++) {
    const dueAt = beganAt + request * everyMs;
    // A timer is late by up to a millisecond, which is longer than a request takes.
    while (performance.now() < dueAt || inFlight.size >= maxInFlight) {
      await new Promise(setImmediate);
    }
    const [name, send] = operations[request % operations.length] as (typeof operations)[0];
    const sent = send(database).then(() => {
      latencies[name]?.push(performance.now() - dueAt);
      inFlight.delete(sent);
    });
    inFlight.add(sent);
  }
  await Promise.all(inFlight);
}

async function list(database: Database): Promise<void> {
  const { entries } = await readHeadPart(database, { caller: 'anonymous', limit: 20 });
  const ids = entries.map(({ id }) => id);
  await readJobs(database, ids);
}

const known = new WeakMap<Database, string>();

async function get(database: Database): Promise<void> {
  const id = known.get(database) ?? (await accept(database));
  known.set(database, id);
  await readHeads(database, [id]);
  await readJobs(database, [id]);
}

async function pick(database: Database): Promise<void> {
  if (!(await pickNext(database.queries, database, target))) throw new Error('The queue is empty.');
}

/** Accepts a job of two slices. */
function accept(database: Database): Promise<string> {
  const slice = { logGroupName: '/demo', fromAt: 0, toAt: 1, notBeforeAt: null, readyAt: 0 };
  return acceptJob(database, {
    jobId: randomUUID(),
    request: { principal: anonymous, id: 'bench' },
    acceptedAt: Date.now(),
    keyUse: undefined,
    plan: {
      job: {
        target,
        name: null,
        priority: 0,
        sliceBy: 'hour',
        timeZone: 'UTC',
        fromAt: 0,
        toAt: 1,
        destination: 'bucket',
        prefixTemplate: 'prefix',
        logStreamNamePrefix: null,
        isUnsettledAllowed: false,
        verification: 'off',
        logGroupBytes: null,
      },
      logGroupNames: ['/demo'],
      slices: [
        { ...slice, number: 0 },
        { ...slice, number: 1 },
      ],
      policies: [],
    },
    maxWaitingSlices: 0,
  });
}

async function finish({ storage }: Extract<PurgerRequest, { act: 'finish' }>) {
  await using database = await open(storage);
  const { queries } = database;
  const count = async (from: string) => {
    const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.raw(from)}`.execute(
      queries,
    );
    return rows[0]?.n ?? Number.NaN;
  };
  const counted = {
    slices: await count(`slices where state = 'completed'`),
    rows:
      (await count('slices')) +
      (await count('attempts')) +
      (await count('events')) +
      (await count('audit_entries')),
    partialJobs: await count(
      `jobs where id like 'old-%' and (select count(*) from slices where job_id = jobs.id) <> ${slicesPerJob}`,
    ),
  };
  const beganAt = performance.now();
  do {
    await sql`update deleted_jobs set deleted_at = 0`.execute(queries);
    await purge(
      { database, owner: 'bench', keep, elapsed, sleep: () => new Promise(setImmediate) },
      () => {},
      new AbortController().signal,
    );
  } while ((await rowsDueInMs(queries, await readClock(database))) !== undefined);
  return {
    ...counted,
    tookMs: performance.now() - beganAt,
    waiting: await count(`slices where state = 'waiting'`),
    left: await count(`slices where state <> 'waiting'`),
  };
}

/** Inserts finished jobs with their slices, attempts, events and audit entries, in few statements. */
async function fillFinished({ kind, queries }: Database, jobs: number): Promise<void> {
  const numbers = (from: number, to: number) =>
    kind === 'postgres'
      ? sql`generate_series(${sql.lit(from)}, ${sql.lit(to - 1)}) as numbers(n)`
      : sql`(with recursive g(n) as (select ${sql.lit(from)} union all select n + 1 from g where n < ${sql.lit(to - 1)}) select n from g) as numbers`;
  const batchSize = 50; // larger: a statement exceeds the time limit of the database
  for (let from = 0; from < jobs; from += batchSize) {
    const to = Math.min(jobs, from + batchSize);
    const slices = numbers(from * slicesPerJob, to * slicesPerJob);
    const jobId = sql`'old-' || (n / ${sql.lit(slicesPerJob)})`;
    const slice = sql`n % ${sql.lit(slicesPerJob)}`;
    const at = sql`${sql.lit(oldAt)} + n / ${sql.lit(slicesPerJob)}`;
    await sql`
      insert into jobs (id, target, caller, priority, slice_by, from_at, to_at, destination,
                        destination_prefix, is_unsettled_allowed, accepted_at, version, ended_at)
      select 'old-' || n, ${target}, 'anonymous', 0, 'hour', 0, 1, 'bucket', 'prefix', 0,
             ${sql.lit(oldAt)} + n, ${sql.lit(3 * slicesPerJob - 1)}, ${sql.lit(oldAt)} + n
      from ${numbers(from, to)}`.execute(queries);
    await sql`
      insert into slices (job_id, number, target, caller, priority, log_group_name, from_at, to_at,
                          ready_at, state, attempt)
      select ${jobId}, ${slice}, ${target}, 'anonymous', 0, '/demo', 0, 1, n, 'completed', 1
      from ${slices}`.execute(queries);
    await sql`
      insert into attempts (job_id, slice, attempt, target, marker, destination_prefix, fence,
                            submitted_at, ended_at, outcome)
      select ${jobId}, ${slice}, 1, ${target}, 'marker-' || n, 'prefix', 1, ${at}, ${at}, 'completed'
      from ${slices}`.execute(queries);
    for (let change = 0; change < 3; change++) {
      const version = sql`(${slice}) * 3 + ${sql.lit(change)}`;
      await sql`
        insert into events (job_id, version, at, type, data)
        select ${jobId}, ${version}, ${at}, 'slice-running', '{"slice":1,"attempt":1}'
        from ${slices}`.execute(queries);
      await sql`
        insert into audit_entries (at, job_id, version, change, principal, action, request_id, policies,
                                   target, outcome)
        select ${at}, ${jobId}, ${version}, 'slice-running', 'anonymous', 'CreateExportTask',
               'marker-' || n, '[]', ${target}, 'ok'
        from ${slices}`.execute(queries);
    }
  }
  await sql`insert into slots (target, account_id, region) values (${target}, '', '')`.execute(
    queries,
  );
  if (kind === 'sqlite') return;
  // Without statistics PostgreSQL reads whole tables. In use, autovacuum makes them as the tables grow.
  // One table at a time: a statement has a time limit.
  for (const table of ['jobs', 'slices', 'attempts', 'events', 'audit_entries']) {
    await sql`analyze ${sql.table(table)}`.execute(queries);
  }
}
