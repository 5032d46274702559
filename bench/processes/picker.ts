import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import { openDatabase } from '#database/open-database.ts';
import { pickNext } from '#export-jobs/queue/pick-next.ts';
import { claimNextSlice } from '#export-jobs/store/steps/claim-next-slice.ts';
import { type Lease, takeLease } from '#export-jobs/store/steps/lease.ts';
import { readActiveSlice } from '#export-jobs/store/steps/read-active-slice.ts';
import { recordStep } from '#export-jobs/store/steps/record-step.ts';
import { quantile } from '../round.ts';

/** Queues of some length to pick from, in turn. */
export interface QueuesToPick {
  queues: { databaseUrl?: string; dataDir: string; waiting: number }[];
  rounds: number;
  /** Of each queue in a round. */
  picks: number;
}

/** How long it took, in milliseconds. */
export interface Picked {
  /** Finding out which slice is next. */
  pickMs: { p50: number; p99: number };
  /** Finding out whether a slice holds the slot, as is done between all steps. */
  lookMs: { p50: number; p99: number };
  /** Finding out which is next, and its intent written down, in a transaction. */
  startMs: { p50: number; p99: number };
}

const target = 'default';
const callers = 20;
const slicesPerJob = 100;
const leaseMs = 3_600_000;

process.on('disconnect', () => process.exit());
process.on('message', async (queues: QueuesToPick) => process.send?.(await measure(queues)));
process.send?.({});

async function measure({ queues, rounds, picks }: QueuesToPick): Promise<Picked[]> {
  const subjects = [];
  for (const { waiting, ...home } of queues) {
    const database = await openDatabase(home);
    await database.whenMigrated;
    await fill(database, waiting);
    const request = { target, accountId: '123456789012', region: 'eu-west-1', owner: 'bench' };
    const { lease } = await takeLease(database, { ...request, leaseMs });
    if (!lease) throw new Error('Somebody else has the lease.');
    const none: number[] = [];
    const subject = { database, lease, pickMs: [...none], lookMs: [...none], startMs: [...none] };
    for (let warmUp = 0; warmUp < picks; warmUp++) await pickOnce(subject);
    subjects.push(subject);
  }
  // In turn, so that what else the machine does falls on all alike.
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) {
      for (let pick = 0; pick < picks; pick++) subject.pickMs.push(await pickOnce(subject));
      for (let look = 0; look < picks; look++) subject.lookMs.push(await lookOnce(subject));
      for (let pick = 0; pick < picks; pick += 10) subject.startMs.push(await startOnce(subject));
    }
  }
  for (const { database } of subjects) await database[Symbol.asyncDispose]();
  const sum = (ms: number[]) => ({ p50: quantile(ms, 0.5), p99: quantile(ms, 0.99) });
  return subjects.map(({ pickMs, lookMs, startMs }) => ({
    pickMs: sum(pickMs),
    lookMs: sum(lookMs),
    startMs: sum(startMs),
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
  if (!next) throw new Error('Nobody waits.');
  return tookMs;
}

async function lookOnce({ database }: Subject): Promise<number> {
  const beganAt = performance.now();
  await readActiveSlice(database, target);
  return performance.now() - beganAt;
}

let markers = 0;

/** Starts the next slice, and puts it back into the queue, unmeasured. */
async function startOnce({ database, lease }: Subject): Promise<number> {
  const beganAt = performance.now();
  const intent = await claimNextSlice(database, lease, {
    leaseMs,
    makeMarker: () => `bench-${markers++}`,
    renderPrefix: () => 'bench',
    reachInside: async () => {},
  });
  const tookMs = performance.now() - beganAt;
  if (!intent) throw new Error('Nobody waits.');
  const { slice, attempt } = intent;
  const change = { type: 'slice-waiting', slice, attempt, readyInMs: 0, problem: 'none' } as const;
  const by = { action: 'CreateExportTask' } as const;
  const step = { to: 'waiting', attempt: { outcome: 'refused' }, change, by } as const;
  await recordStep(database, lease, leaseMs, { ...intent, state: 'starting' }, step);
  return tookMs;
}

/** Puts so many slices into the queue as their jobs would, but in few statements. */
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
  const atOnce = 5_000; // what takes longer than a few seconds is given up
  for (let from = 0; from < waiting; from += atOnce) {
    await sql`
      insert into slices (job_id, number, target, caller, priority, log_group_name, from_at, to_at,
                          ready_at, state)
      select 'job-' || (n / ${sql.lit(slicesPerJob)}), n % ${sql.lit(slicesPerJob)}, ${target},
             'caller-' || ((n / ${sql.lit(slicesPerJob)}) % ${sql.lit(callers)}), 0, '/demo', 0, 1, n, 'waiting'
      from ${numbers(from, Math.min(waiting, from + atOnce))}`.execute(queries);
  }
  for (let caller = 0; caller < callers; caller++) {
    const queue = { target, priority: 0, caller: `caller-${caller}` };
    await queries.insertInto('lines').values(queue).execute();
  }
}
