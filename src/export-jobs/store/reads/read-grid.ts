import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import type { SliceState } from '../../slice.ts';
import type { JobHead } from './read-heads.ts';

/** A rectangle of the slices of a job: some log groups, and some windows in columns of `step` windows. */
export interface GridRange {
  jobId: string;
  /** The number of log groups of the job. */
  logGroups: number;
  fromGroup: number;
  toGroup: number;
  fromWindow: number;
  toWindow: number;
  step: number;
}

/** The slices of one log group and one column in one state. */
export interface GridCount {
  row: number;
  column: number;
  state: SliceState;
  slices: number;
}

/** Reads the number of log groups of a job. Within a window, its slices are numbered by log group. */
export async function countLogGroups(
  { queries }: Database,
  { id, fromAt }: Pick<JobHead, 'id' | 'fromAt'>,
  slices: number,
): Promise<number> {
  const next = await queries
    .selectFrom('slices')
    .select('number')
    .where('jobId', '=', id)
    .where('fromAt', '!=', fromAt)
    .where('parent', 'is', null)
    .orderBy('number')
    .limit(1)
    .executeTakeFirst();
  return next?.number ?? slices;
}

/** Reads the slices of a job that come from splits, the parents first. */
export async function readChildren(
  { queries }: Database,
  jobId: string,
): Promise<{ number: number; parent: number; state: SliceState }[]> {
  const children = await queries
    .selectFrom('slices')
    .select(['number', 'parent', 'state'])
    .where('jobId', '=', jobId)
    .where('parent', 'is not', null)
    .orderBy('number')
    .execute();
  return children as { number: number; parent: number; state: SliceState }[];
}

/** Counts the slices of a rectangle, by row, column and state. Reads only slices of its windows. */
export async function readGridCounts(
  { queries }: Database,
  { jobId, logGroups, fromGroup, toGroup, fromWindow, toWindow, step }: GridRange,
): Promise<GridCount[]> {
  // Literals: PostgreSQL groups by equal expressions, and two parameters are never equal.
  const [groups, first, width] = [logGroups, fromWindow, step].map((value) => sql.lit(value));
  const row = sql<number>`number % ${groups}`;
  const column = sql<number>`(number / ${groups} - ${first}) / ${width}`;
  const counts = await queries
    .selectFrom('slices')
    .where('jobId', '=', jobId)
    .where('number', '>=', fromWindow * logGroups)
    .where('number', '<', toWindow * logGroups)
    .where(row, '>=', fromGroup)
    .where(row, '<', toGroup)
    .groupBy([row, column, 'state'])
    .select([row.as('row'), column.as('column'), 'state'])
    .select(({ fn }) => fn.countAll<number>().as('slices'))
    .execute();
  return counts.map((count) => ({ ...count, state: count.state as SliceState }));
}

/** Reads some slices of a job by number: what the rows and columns of a grid are. */
export function readGridEdges({ queries }: Database, jobId: string, numbers: readonly number[]) {
  return queries
    .selectFrom('slices')
    .select(['number', 'logGroupName', 'fromAt', 'toAt'])
    .where('jobId', '=', jobId)
    .where('number', 'in', numbers)
    .execute();
}
