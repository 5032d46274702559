import { type Selectable, sql } from 'kysely';

import type { Database } from '#database/database.ts';
import type { AttemptRow, SliceRow } from '#database/tables.ts';
import type { SliceState } from '../../slice.ts';

/** Which slices of a job to list. */
export interface SliceFilter {
  jobId: string;
  state?: SliceState | undefined;
  /** The number of the last slice of the page before. */
  after?: number | undefined;
  limit: number;
}

/**
 * The failed slices of one log group of a job: their windows from first to last, and the most
 * attempts of one.
 */
export interface FailedLogGroup {
  logGroupName: string;
  fromAt: number;
  toAt: number;
  attempt: number;
}

/** Reads the failed slices of a job, by log group. */
export function readFailedLogGroups(
  { queries }: Database,
  jobId: string,
): Promise<FailedLogGroup[]> {
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

/** Reads a page of the slices of a job, by number. */
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

/** Reads all attempts of some slices of a job, the oldest first. */
export async function readAttempts(
  { queries }: Database,
  jobId: string,
  slices: readonly number[],
): Promise<Selectable<AttemptRow>[]> {
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
