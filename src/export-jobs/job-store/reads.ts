import { type RawBuilder, type Selectable, type SqlBool, sql } from 'kysely';

import type { Database } from '#database/database.ts';
import type { AttemptRow, JobRow, SliceRow } from '#database/tables.ts';
import {
  activeStates,
  type JobState,
  type SliceCounts,
  type SliceState,
  sliceStates,
} from '../slice.ts';

/** What every question about a job begins with: whose it is, and how often it has changed. */
export type JobHead = Pick<Selectable<JobRow>, 'id' | 'caller' | 'version'>;

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

/** A place in the list of jobs, newest first. */
export interface JobCursor {
  acceptedAt: number;
  id: string;
}

/** Which jobs to list. */
export interface JobFilter {
  caller: string;
  state?: JobState | undefined;
  target?: string | undefined;
  name?: string | undefined;
  after?: JobCursor | undefined;
  limit: number;
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

/** Reads the heads of jobs by their primary keys; one that does not exist is left out. */
export async function readHeads(
  { queries }: Database,
  jobIds: readonly string[],
): Promise<Map<string, JobHead>> {
  const heads = await queries
    .selectFrom('jobs')
    .select(['id', 'caller', 'version'])
    .where('id', 'in', jobIds)
    .execute();
  return new Map(heads.map((head) => [head.id, head]));
}

/** Reads the heads of a page of a caller's jobs, newest first, with the place of each in the list. */
export function listHeads(
  { queries }: Database,
  { caller, state, target, name, after, limit }: JobFilter,
): Promise<(JobHead & JobCursor)[]> {
  let query = queries
    .selectFrom('jobs')
    .select(['id', 'caller', 'version', 'acceptedAt'])
    .where('caller', '=', caller);
  if (state !== undefined) query = query.where(isInState(state));
  if (target !== undefined) query = query.where('target', '=', target);
  if (name !== undefined) query = query.where('name', '=', name);
  if (after !== undefined) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('acceptedAt', 'id'), '<', tuple(after.acceptedAt, after.id)),
    );
  }
  return query.orderBy('acceptedAt', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

/** Whether a row of `jobs` is in a state: `jobStateOf` in SQL. */
function isInState(state: JobState): RawBuilder<SqlBool> {
  const has = (...states: readonly SliceState[]) =>
    sql<SqlBool>`exists (select 1 from slices where job_id = jobs.id and state in (${sql.join(states)}))`;
  const isCancelRequested = sql<SqlBool>`cancel_requested_at is not null`;
  const isActive = has(...activeStates);
  const hasBegun = sql<SqlBool>`(${isActive} or ${has('completed', 'failed', 'cancelled')})`;
  const isOver = sql<SqlBool>`not ${has('waiting', ...activeStates)}`;
  switch (state) {
    case 'cancelling':
      return sql`${isActive} and ${isCancelRequested}`;
    case 'running':
      return sql`((${isActive} and not ${isCancelRequested}) or (${has('waiting')} and ${hasBegun} and not ${isActive}))`;
    case 'waiting':
      return sql`${has('waiting')} and not ${hasBegun}`;
    case 'cancelled':
      return sql`${isOver} and ${has('cancelled')}`;
    case 'failed':
      return sql`${isOver} and ${has('failed')} and not ${has('cancelled')}`;
    case 'completed':
      return sql`${isOver} and not ${has('failed', 'cancelled')}`;
  }
}

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

/** Reads a page of a job's slices, by number. */
export function listSlices(
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
export async function listAttempts(
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
