import { type RawBuilder, type Selectable, type SqlBool, sql } from 'kysely';

import type { Database } from '#database/database.ts';
import type { JobRow } from '#database/tables.ts';
import type { JobState } from '../../job-state.ts';
import { begunStates, openStates, type SliceState } from '../../slice.ts';
import type { DeletedJob } from '../deleted-job.ts';

/** The first part of a job that each request reads: its version, and what decides who may read it. */
export interface JobHead
  extends Pick<
    Selectable<JobRow>,
    | 'id'
    | 'caller'
    | 'version'
    | 'target'
    | 'destination'
    | 'timeZone'
    | 'priority'
    | 'acceptedAt'
    | 'revision'
    | 'archiveId'
    | 'taskParameters'
  > {
  /** The template that the destination prefixes of its attempts are rendered from. */
  prefixTemplate: string;
  /** The first of its log groups. */
  logGroupName: string;
  /** The start of its first slice. Each of its log groups has a slice with this start. */
  fromAt: number;
  hasMoreLogGroups: boolean;
  /**
   * Account and Region of its target, as the last owner of the slot wrote them; null before the
   * first.
   */
  accountId: string | null;
  region: string | null;
}

/** A position in the list of jobs, the newest first. */
interface JobCursor {
  acceptedAt: number;
  id: string;
}

/** Which jobs to list. */
export interface JobFilter {
  /** Jobs of all callers when absent. */
  caller?: string | undefined;
  state?: JobState | undefined;
  target?: string | undefined;
  name?: string | undefined;
  /** Jobs of this archive. Jobs of no archive when absent. */
  archiveId?: string | undefined;
  after?: JobCursor | undefined;
  limit: number;
}

/** Reads the heads of jobs. A job that does not exist is left out. */
export async function readHeads(
  database: Database,
  jobIds: readonly string[],
): Promise<Map<string, JobHead>> {
  const found = await findJobs(database, jobIds);
  const heads = [...found].filter((entry): entry is [string, JobHead] => isHead(entry[1]));
  return new Map(heads);
}

/** Whether a job that was found is there, and not deleted. */
export function isHead(found: JobHead | DeletedJob | undefined): found is JobHead {
  return found !== undefined && 'version' in found;
}

/**
 * Finds jobs by their ids: their heads, or what is known of deleted ones. A job that is unknown is left
 * out. In the statement it is a row like any other, so that its answer takes as long.
 */
export async function findJobs(
  { queries }: Database,
  jobIds: readonly string[],
): Promise<Map<string, JobHead | DeletedJob>> {
  if (jobIds.length === 0) return new Map();
  const rows = await queries
    .with(
      'wanted(wantedId)',
      () => sql<{ wantedId: string }>`(values ${sql.join(jobIds.map((id) => sql`(${id})`))})`,
    )
    .selectFrom('wanted')
    .leftJoin('jobs', 'jobs.id', 'wantedId')
    .leftJoin('slices as first', (join) =>
      join.onRef('first.jobId', '=', 'wantedId').on('first.number', '=', 0),
    )
    // Within a window the slices are numbered by log group. So slice 1 has another log group or a
    // later window.
    .leftJoin('slices as second', (join) =>
      join
        .onRef('second.jobId', '=', 'wantedId')
        .on('second.number', '=', 1)
        .on('second.parent', 'is', null)
        .onRef('second.fromAt', '=', 'first.fromAt'),
    )
    .leftJoin('slots', 'slots.target', 'jobs.target')
    .leftJoin('deletedJobs as deleted', 'deleted.id', 'wantedId')
    .select(['deleted.caller as deletedCaller', 'deletedAt'])
    .select(['wantedId as id', 'jobs.caller', 'version', 'jobs.target', 'destination'])
    .select([
      'destinationPrefix as prefixTemplate',
      'timeZone',
      'jobs.priority',
      'revision',
      'archiveId',
      'taskParameters',
      'acceptedAt',
      'accountId',
      'region',
    ])
    .select(['first.logGroupName', 'first.fromAt', 'second.number as more'])
    .execute();
  const found = rows.flatMap(({ more, deletedCaller, deletedAt, ...row }) => {
    const head = { ...row, hasMoreLogGroups: more !== null };
    if (exists(head)) return head;
    if (deletedCaller === null || deletedAt === null) return [];
    return { id: head.id, caller: deletedCaller, deletedAt };
  });
  return new Map(found.map((each) => [each.id, each]));
}

function exists(head: { caller: string | null }): head is JobHead {
  return head.caller !== null;
}

/** Reads the heads of a page of jobs, newest first. */
export async function readHeadPage(
  database: Database,
  { caller, state, target, name, archiveId, after, limit }: JobFilter,
): Promise<JobHead[]> {
  let query = database.queries.selectFrom('jobs').select('id');
  if (archiveId !== undefined) query = query.where('archiveId', '=', archiveId);
  // A literal: the partial indexes of jobs without an archive are used only for one.
  else query = query.where(sql<boolean>`archive_id is null`);
  if (caller !== undefined) query = query.where('caller', '=', caller);
  if (state !== undefined) query = query.where(whereState(state));
  if (target !== undefined) query = query.where('target', '=', target);
  if (name !== undefined) query = query.where('name', '=', name);
  if (after !== undefined) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('acceptedAt', 'id'), '<', tuple(after.acceptedAt, after.id)),
    );
  }
  query = query.orderBy('acceptedAt', 'desc').orderBy('id', 'desc').limit(limit);
  const ids = (await query.execute()).map(({ id }) => id);
  const heads = await readHeads(database, ids);
  return ids.flatMap((id) => heads.get(id) ?? []);
}

// Fewer: a job of many log groups takes many queries. More: rows are read that no decision needs.
const logGroupsPerPage = 200;

/**
 * Reads a page of the log groups of a job, from the slice of a number on. `next` is absent at the
 * end.
 */
export async function readLogGroups(
  { queries }: Database,
  { id, fromAt }: Pick<JobHead, 'id' | 'fromAt'>,
  from: number,
): Promise<{ logGroupNames: string[]; next: number | undefined }> {
  const rows = await queries
    .selectFrom('slices')
    .select('logGroupName')
    .where('jobId', '=', id)
    .where('number', '>=', from)
    .where('number', '<', from + logGroupsPerPage)
    .where('fromAt', '=', fromAt)
    .where('parent', 'is', null)
    .orderBy('number')
    .execute();
  return {
    logGroupNames: rows.map(({ logGroupName }) => logGroupName),
    next: rows.length === logGroupsPerPage ? from + logGroupsPerPage : undefined,
  };
}

/** Whether a row of `jobs` is in a state. It must agree with `jobStateOf`. */
function whereState(state: JobState): RawBuilder<SqlBool> {
  const anySlice = (...states: readonly SliceState[]) =>
    sql<SqlBool>`exists (select 1 from slices where job_id = jobs.id and state in (${sql.join(states)}))`;
  const cancelRequested = sql<SqlBool>`cancel_requested_at is not null`;
  const active = anySlice(...begunStates);
  const begun = sql<SqlBool>`(${active} or ${anySlice('completed', 'failed', 'cancelled', 'split')})`;
  const over = sql<SqlBool>`not ${anySlice(...openStates)}`;
  switch (state) {
    case 'cancelling':
      return sql`${active} and ${cancelRequested}`;
    case 'running':
      return sql`((${active} and not ${cancelRequested}) or (${anySlice('waiting')} and ${begun} and not ${active}))`;
    case 'waiting':
      return sql`${anySlice('waiting')} and not ${begun}`;
    case 'cancelled':
      return sql`${over} and ${anySlice('cancelled')}`;
    case 'failed':
      return sql`${over} and ${anySlice('failed')} and not ${anySlice('cancelled')}`;
    case 'completed':
      return sql`${over} and not ${anySlice('failed', 'cancelled')}`;
  }
}
