import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import { openDatabase } from '#database/open-database.ts';
import { pickNext } from '#export-jobs/queue/pick-next.ts';
import { claimNextSlice } from '#export-jobs/store/steps/claim-next-slice.ts';
import { guardSlot, type Lease, takeLease } from '#export-jobs/store/steps/hold-lease.ts';
import { readActiveSlice } from '#export-jobs/store/steps/read-active-slice.ts';
import { recordStep } from '#export-jobs/store/steps/record-step.ts';
import { patientLimits } from '../../test/ready-database.ts';
import { quantile } from '../round.ts';

/** The queues to pick from. */
export interface PickRequest {
  queues: { databaseUrl?: string; dataDir: string; waiting: number }[];
  rounds: number;
  /** Per round, for each queue. */
  picks: number;
}

/** The times, in milliseconds. */
export interface PickTimes {
  /** Finding the next slice. */
  pickMs: { p50: number; p99: number };
  /** Reading whether a slice holds the slot, as the dispatcher does between all steps. */
  readSlotMs: { p50: number; p99: number };
  /** Finding the next slice and recording its start, in one transaction. */
  startMs: { p50: number; p99: number };
}

const target = 'default';
const callers = 20;
const slicesPerJob = 100;
const leaseMs = 3_600_000;

process.on('disconnect', () => process.exit());
process.on('message', async (queues: PickRequest) => process.send?.(await measure(queues)));
process.send?.({});

async function measure({ queues, rounds, picks }: PickRequest): Promise<PickTimes[]> {
  const subjects = [];
  for (const { waiting, ...storage } of queues) {
    const database = await openDatabase({ ...storage, limits: patientLimits });
    await database.whenMigrated;
    await fill(database, waiting);
    const request = { target, accountId: '123456789012', region: 'eu-west-1', owner: 'bench' };
    const { lease } = await takeLease(database, { ...request, leaseMs });
    if (!lease) throw new Error('Another owner has the lease.');
    const none: number[] = [];
    const subject = {
      database,
      lease,
      pickMs: [...none],
      readSlotMs: [...none],
      startMs: [...none],
    };
    for (let warmUp = 0; warmUp < picks; warmUp++) await pickOnce(subject);
    subjects.push(subject);
  }
  // In alternation, so that other load on the machine affects all equally.
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      for (let pick = 0; pick < picks; pick++) subject.pickMs.push(await pickOnce(subject));
      for (let read = 0; read < picks; read++) subject.readSlotMs.push(await readSlotOnce(subject));
      for (let pick = 0; pick < picks; pick += 10) subject.startMs.push(await startOnce(subject));
    }
  }
  for (const { database } of subjects) await database[Symbol.asyncDispose]();
  const summarize = (ms: number[]) => ({ p50: quantile(ms, 0.5), p99: quantile(ms, 0.99) });
  return subjects.map(({ pickMs, readSlotMs, startMs }) => ({
    pickMs: summarize(pickMs),
    readSlotMs: summarize(readSlotMs),
    startMs: summarize(startMs),
  }));
}

interface Subject {
  database: Database;
  lease: Lease;
}

async function pickOnce({ database }: Subject): Promise<number> {
  const beganAt = performance.now();
  const next = await pickNext(database.queries, database, target);
  const tookMs = performance.now() - beganAt;
  if (!next) throw new Error('The queue is empty.');
  return tookMs;
}

async function readSlotOnce({ database }: Subject): Promise<number> {
  const beganAt = performance.now();
  await readActiveSlice(database, target);
  return performance.now() - beganAt;
}

let markers = 0;

/** Starts the next slice, then puts it back into the queue. Only the start is measured. */
async function startOnce({ database, lease }: Subject): Promise<number> {
  const beganAt = performance.now();
  const intent = await claimNextSlice(database, lease, {
    leaseMs,
    makeMarker: () => `bench-${markers++}`,
    renderPrefix: () => 'bench',
    reachInside: async () => {},
  });
  const tookMs = performance.now() - beganAt;
  if (!intent) throw new Error('The queue is empty.');
  const { slice, attempt } = intent;
  const change = { type: 'slice-waiting', slice, attempt, readyInMs: 0, problem: 'none' } as const;
  const by = { action: 'CreateExportTask' } as const;
  const step = { to: 'waiting', attempt: { outcome: 'refused' }, change, by } as const;
  const guard = guardSlot(database, lease, leaseMs);
  await recordStep(database, guard, { ...intent, state: 'starting' }, step);
  return tookMs;
}

/** Fills the queue with slices, in few statements. */
async function fill({ kind, queries }: Database, waiting: number): Promise<void> {
  const numbers = (from: number, to: number) =>
    kind === 'postgres'
      ? sql`generate_series(${sql.lit(from)}, ${sql.lit(to - 1)}) as numbers(n)`
      : sql`(with recursive g(n) as (select ${sql.lit(from)} union all select n + 1 from g where n < ${sql.lit(to - 1)}) select n from g) as numbers`;
  const jobs = waiting / slicesPerJob;
  await sql`
    insert into jobs (id, target, caller, priority, slice_by, from_at, to_at, destination,
                      destination_prefix, is_unsettled_allowed, accepted_at)
    select 'job-' || n, ${target}, 'caller-' || (n % ${sql.lit(callers)}), 0, 'hour', 0, 1, 'bucket', 'prefix', 0, 1
    from ${numbers(0, jobs)}`.execute(queries);
  const batchSize = 5_000; // larger: a statement exceeds the time limit of the database
  for (let from = 0; from < waiting; from += batchSize) {
    await sql`
      insert into slices (job_id, number, target, caller, priority, log_group_name, from_at, to_at,
                          ready_at, state)
      select 'job-' || (n / ${sql.lit(slicesPerJob)}), n % ${sql.lit(slicesPerJob)}, ${target},
             'caller-' || ((n / ${sql.lit(slicesPerJob)}) % ${sql.lit(callers)}), 0, '/demo', 0, 1, n, 'waiting'
      from ${numbers(from, Math.min(waiting, from + batchSize))}`.execute(queries);
  }
  for (let caller = 0; caller < callers; caller++) {
    const queue = { target, priority: 0, caller: `caller-${caller}` };
    await queries.insertInto('lines').values(queue).execute();
  }
}
