import { type RawBuilder, type Selectable, sql } from 'kysely';

import type { Database } from '#database/database.ts';
import type { AttemptRow, JobRow, SliceRow } from '#database/tables.ts';
import { type SliceCounts, type SliceState, sliceStates } from '../../slice.ts';

/** A job, and what its slices amount to: true of one instant, that of its version. */
export interface JobReading {
  job: Selectable<JobRow>;
  counts: SliceCounts;
  /** The earliest `notBeforeAt` of its waiting slices. */
  notBeforeAt: number | null;
  startedAt: number | null;
  /** When it changed last. */
  changedAt: number;
  /** Kinds of problems its failed slices ended with, the most frequent first; each with one case, as JSON. */
  failures: { slices: number; problem: string }[];
}

/** Which slices of a job to list. */
export interface SliceFilter {
  jobId: string;
  state?: SliceState | undefined;
  /** The number of the last slice of the page before. */
  after?: number | undefined;
  limit: number;
}

// The kind of a problem kept as JSON: the one thing the two databases spell differently.
const problemType: Record<Database['kind'], RawBuilder<string | null>> = {
  sqlite: sql<string | null>`problem ->> 'type'`,
  postgres: sql<string | null>`cast(problem as json) ->> 'type'`,
};

/** Reads jobs with all that is counted of them, in one statement, so that each is of one instant. */
export async function readJobs(
  { queries, kind }: Database,
  jobIds: readonly string[],
): Promise<Map<string, JobReading>> {
  const rows = await queries
    .with('groups', (db) =>
      db
        .selectFrom('slices')
        .select(({ fn }) => [
          'jobId as ofJob',
          'state',
          fn.countAll<number>().as('slices'),
          fn.min('notBeforeAt').as('notBeforeAt'),
          fn.min('problem').as('problem'),
        ])
        .where('jobId', 'in', jobIds)
        .groupBy(['jobId', 'state', problemType[kind]]),
    )
    .with('starts', (db) =>
      db
        .selectFrom('attempts')
        .select(({ fn }) => ['jobId as ofJob', fn.min('submittedAt').as('startedAt')])
        .where('jobId', 'in', jobIds)
        .groupBy('jobId'),
    )
    .selectFrom('jobs')
    .innerJoin('groups', 'groups.ofJob', 'jobs.id')
    .innerJoin('events', (join) =>
      join.onRef('events.jobId', '=', 'jobs.id').onRef('events.version', '=', 'jobs.version'),
    )
    .leftJoin('starts', 'starts.ofJob', 'jobs.id')
    .selectAll('jobs')
    .select(['startedAt', 'events.at', 'groups.state', 'groups.slices', 'notBeforeAt', 'problem'])
    .where('jobs.id', 'in', jobIds)
    .execute();

  const readings = new Map<string, JobReading>();
  for (const row of rows) {
    const { state, slices, notBeforeAt, problem, startedAt, at, ...job } = row;
    const reading = readings.get(job.id) ?? {
      job,
      counts: Object.fromEntries(sliceStates.map((each) => [each, 0])) as SliceCounts,
      notBeforeAt: null,
      startedAt,
      changedAt: at,
      failures: [],
    };
    readings.set(job.id, reading);
    reading.counts[state as SliceState] += slices;
    if (state === 'failed' && problem !== null) reading.failures.push({ slices, problem });
    if (state === 'waiting' && notBeforeAt !== null) {
      reading.notBeforeAt = Math.min(notBeforeAt, reading.notBeforeAt ?? notBeforeAt);
    }
  }
  for (const { failures } of readings.values()) failures.sort((a, b) => b.slices - a.slices);
  return readings;
}

/** What of a log group of a job has failed: from its first window to its last, and after how many attempts. */
export interface FailedLogGroup {
  logGroupName: string;
  fromAt: number;
  toAt: number;
  attempt: number;
}

/** Reads what has failed of a job, by log group. */
export function readFailures({ queries }: Database, jobId: string): Promise<FailedLogGroup[]> {
  return queries
    .selectFrom('slices')
    .where('jobId', '=', jobId)
    .where('state', '=', 'failed')
    .groupBy('logGroupName')
    .select(({ fn }) => ['logGroupName', fn.min('fromAt').as('fromAt'), fn.max('toAt').as('toAt')])
    .select(({ fn }) => fn.max('attempt').as('attempt'))
    .orderBy(({ fn }) => fn.min('number'))
    .execute();
}

/** Reads a page of a job's slices, by number. */
export function readSlices(
  { queries }: Database,
  { jobId, state, after, limit }: SliceFilter,
): Promise<Selectable<SliceRow>[]> {
  let query = queries.selectFrom('slices').selectAll().where('jobId', '=', jobId);
  if (state !== undefined) query = query.where('state', '=', state);
  if (after !== undefined)
    query = query.where('number', '>', sql<number>`cast(${after} as bigint)`);
  return query.orderBy('number').limit(limit).execute();
}

/** Reads every attempt of some slices of a job, oldest first. */
export async function readAttempts(
  { queries }: Database,
  jobId: string,
  slices: readonly number[],
): Promise<AttemptRow[]> {
  if (slices.length === 0) return [];
  return queries
    .selectFrom('attempts')
    .selectAll()
    .where('jobId', '=', jobId)
    .where('slice', 'in', slices)
    .orderBy('slice')
    .orderBy('attempt')
    .execute();
}
