import type { Queries } from '#database/database.ts';
import { type SliceCounts, type SliceState, sliceStates } from '../../slice.ts';

/** Something that happened to a job, as its watchers are told. */
export interface JobEvent {
  /** The version the job had by it: 1, 2, 3, … without a gap. */
  version: number;
  at: number;
  type: string;
  /** What is said of it beyond its type. */
  data: Record<string, unknown>;
}

// Some 25 KB as they are sent, of which each stream holds two while its reader does not read. More, and
// a thousand such streams take the memory of a small container; fewer, and a long history takes more queries.
const eventsPerPage = 100;

/** The events of a job after a version, oldest first, at most a page of them. */
export async function readEvents(
  queries: Queries,
  jobId: string,
  afterVersion: number,
): Promise<JobEvent[]> {
  const rows = await queries
    .selectFrom('events')
    .select(['version', 'at', 'type', 'data'])
    .where('jobId', '=', jobId)
    .where('version', '>', afterVersion)
    .orderBy('version')
    .limit(eventsPerPage)
    .execute();
  return rows.map(({ data, ...row }) => ({ ...row, data: JSON.parse(data) }));
}

// Databases take some ten thousand parameters in a query, and nobody watches that many jobs.
const jobsPerQuery = 10_000;

/** The versions of these jobs; one that does not exist is left out. */
export async function readVersions(
  queries: Queries,
  jobIds: readonly string[],
): Promise<Map<string, number>> {
  const versions = new Map<string, number>();
  for (let from = 0; from < jobIds.length; from += jobsPerQuery) {
    const rows = await queries
      .selectFrom('jobs')
      .select(['id', 'version'])
      .where('id', 'in', jobIds.slice(from, from + jobsPerQuery))
      .execute();
    for (const { id, version } of rows) versions.set(id, version);
  }
  return versions;
}

/** How far a job is, at one of its versions. */
export interface JobProgress {
  version: number;
  isCancelRequested: boolean;
  counts: SliceCounts;
}

/** How far a job that is there is, of one moment. */
export async function readProgress(queries: Queries, jobId: string): Promise<JobProgress> {
  // One statement: version and counts of two moments would make an end of what is none.
  const rows = await queries
    .selectFrom('jobs')
    .innerJoin('slices', 'slices.jobId', 'jobs.id')
    .where('jobs.id', '=', jobId)
    .groupBy(['jobs.version', 'jobs.cancelRequestedAt', 'slices.state'])
    .select(({ fn }) => [
      'jobs.version',
      'jobs.cancelRequestedAt',
      'slices.state',
      fn.countAll<number>().as('slices'),
    ])
    .execute();
  const [first] = rows as [(typeof rows)[0]]; // none is ever deleted
  const counts = Object.fromEntries(sliceStates.map((state) => [state, 0])) as SliceCounts;
  for (const { state, slices } of rows) counts[state as SliceState] = slices;
  return { version: first.version, isCancelRequested: first.cancelRequestedAt !== null, counts };
}
