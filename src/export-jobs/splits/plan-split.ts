import type { Database, Queries } from '#database/database.ts';
import { statedLimits } from '#problems/limits.ts';
import type { Window } from '#time/window.ts';
import type { ActiveSlice } from '../store/steps/read-active-slice.ts';
import { piecesOf } from './pieces-of.ts';

/** The children of a slice that is split, in the order of their numbers. */
export interface Split {
  /** The number of the first child. */
  first: number;
  windows: readonly Window[];
}

/** A slice that may be split. */
type SplittingSlice = Pick<ActiveSlice, 'jobId' | 'slice' | 'fromAt' | 'toAt'>;

/**
 * Plans the split of a slice; `undefined` if it must not be split. It is too short, or its job would have too
 * many slices from splits. Or it is a child, shorter windows have not helped so far, and its task did not run
 * out of time. Only the owner of the slot splits slices of a job, so the plan holds until its next step.
 */
export async function planSplit(
  { queries }: Pick<Database, 'queries'>,
  { jobId, slice, fromAt, toAt }: SplittingSlice,
  { isOutOfTime }: { isOutOfTime: boolean },
): Promise<Split | undefined> {
  const { timeZone, parent } = await queries
    .selectFrom('slices')
    .innerJoin('jobs', 'jobs.id', 'slices.jobId')
    .select(['timeZone', 'parent'])
    .where('jobId', '=', jobId)
    .where('number', '=', slice)
    .executeTakeFirstOrThrow();
  const windows = piecesOf({ fromAt, toAt }, timeZone);
  if (windows.length === 0) return undefined;
  const { last, children } = await queries
    .selectFrom('slices')
    .select(({ fn }) => [
      fn.max<number>('number').as('last'),
      fn.count<number>('parent').as('children'),
    ])
    .where('jobId', '=', jobId)
    .executeTakeFirstOrThrow();
  if (children + windows.length > statedLimits.splitSlicesPerJob) return undefined;
  if (parent !== null && !isOutOfTime && !(await hasExportedChild(queries, jobId, parent)))
    return undefined;
  return { first: last + 1, windows };
}

/** Whether AWS has completed the task of a child. Its verification can take long. */
async function hasExportedChild(queries: Queries, jobId: string, parent: number): Promise<boolean> {
  const child = await queries
    .selectFrom('slices')
    .select('number')
    .where('jobId', '=', jobId)
    .where('parent', '=', parent)
    .where('state', 'in', ['verifying', 'completed'])
    .limit(1)
    .executeTakeFirst();
  return child !== undefined;
}

/**
 * Puts the children of a slice into the queue, in the transaction that splits it. Their attempts count on from
 * those of the slice.
 */
export async function insertChildren(
  queries: Queries,
  { now }: Pick<Database, 'now'>,
  { jobId, slice }: Pick<ActiveSlice, 'jobId' | 'slice'>,
  { first, windows }: Split,
): Promise<void> {
  const { target, caller, priority, logGroupName, attempt } = await queries
    .selectFrom('slices')
    .select(['target', 'caller', 'priority', 'logGroupName', 'attempt'])
    .where('jobId', '=', jobId)
    .where('number', '=', slice)
    .executeTakeFirstOrThrow();
  const columns = { jobId, target, caller, priority, logGroupName, attempt, parent: slice };
  const rows = windows.map((window, index) => ({
    ...columns,
    ...window,
    number: first + index,
    state: 'waiting',
    readyAt: now(),
  }));
  await queries.insertInto('slices').values(rows).execute();
}
