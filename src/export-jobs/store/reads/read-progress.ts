import type { Queries } from '#database/database.ts';
import { type SliceCounts, type SliceState, sliceStates } from '../../slice.ts';

// Databases accept about ten thousand parameters in a statement.
const jobsPerQuery = 10_000;

/** Reads the versions of jobs. A job that does not exist is left out. */
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

/** The progress of a job at one of its versions. */
export interface JobProgress {
  version: number;
  isCancelRequested: boolean;
  counts: SliceCounts;
}

/** Reads the progress of a job; `undefined` when it does not exist. */
export async function readProgress(
  queries: Queries,
  jobId: string,
): Promise<JobProgress | undefined> {
  // One statement: with a version and counts of two moments a job could seem to have ended.
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
  const [first] = rows;
  if (!first) return undefined;
  const counts = Object.fromEntries(sliceStates.map((state) => [state, 0])) as SliceCounts;
  for (const { state, slices } of rows) counts[state as SliceState] = slices;
  return { version: first.version, isCancelRequested: first.cancelRequestedAt !== null, counts };
}
