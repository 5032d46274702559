import { type Selectable, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';

import type { Database } from '#database/database.ts';
import type { JobRow, Tables } from '#database/tables.ts';
import type { AgeCursor, ListPart } from '#paging/page.ts';
import { hasEnded, type JobState } from '../../job-state.ts';
import type { DeletedJob } from '../deleted-job.ts';
import { whereState } from '../job-conditions.ts';

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

/** Which jobs to list. */
export interface JobFilter {
  /** Jobs of all callers when absent. */
  caller?: string | undefined;
  state?: JobState | undefined;
  target?: string | undefined;
  name?: string | undefined;
  /** Jobs of this archive. Jobs of no archive when absent. */
  archiveId?: string | undefined;
  after?: AgeCursor | undefined;
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

/** Reads the heads of a part of the list of jobs, newest first. */
export async function readHeadPart(
  database: Database,
  { caller, state, target, name, archiveId, after, limit }: JobFilter,
): Promise<ListPart<JobHead>> {
  const jobs = database.queries.selectFrom('jobs');
  const inList = (query: JobQuery) =>
    query
      // A literal: the partial indexes of jobs without an archive are used only for one.
      .$if(archiveId === undefined, (all) => all.where(sql<boolean>`archive_id is null`))
      .$if(archiveId !== undefined, (all) => all.where('archiveId', '=', archiveId as string))
      .$if(caller !== undefined, (all) => all.where('jobs.caller', '=', caller as string));
  const open = jobs.where(sql<boolean>`ended_at is null`);
  // Mostly, few of many jobs are open. A job that an older replica retried is missing until its next change.
  const isFew = state !== undefined && !hasEnded(state) && !(await findBoundary(open, after));
  return findHeads(database, { listed: isFew ? open : inList(jobs), after, limit }, (part) =>
    (isFew ? inList(part) : part)
      .$if(target !== undefined, (all) => all.where('jobs.target', '=', target as string))
      .$if(name !== undefined, (all) => all.where('name', '=', name as string))
      .$if(state !== undefined, (all) => all.where(whereState(state as JobState))),
  );
}

/** A query of jobs. */
export type JobQuery = SelectQueryBuilder<Tables, 'jobs', object>;

// Fewer: a filter that matches few jobs takes many statements. More: everything waits for the statement on
// SQLite. It takes some 3 to 10 µs for each job.
const maxExamined = 2_000;

/**
 * Finds jobs in a list, the newest first. `listed` has only conditions of one index, and `match` those that
 * each job is examined for. At most `maxExamined` jobs are.
 */
export async function findHeads(
  database: Database,
  { listed, after, limit }: { listed: JobQuery; after: AgeCursor | undefined; limit: number },
  match: (part: JobQuery) => JobQuery,
): Promise<ListPart<JobHead>> {
  const rest = restOf(listed, after);
  const last = await findBoundary(listed, after);
  const part = last === undefined ? rest : rest.where(whereAge('>=', last));
  // The limit keeps the conditions of `match` out of the choice of the index.
  const jobs = database.queries.selectFrom(
    inOrder(part).selectAll('jobs').limit(sql.lit(Number.MAX_SAFE_INTEGER)).as('jobs'),
  );
  const rows = await inOrder(match(jobs))
    .select(['jobs.acceptedAt as at', 'jobs.id'])
    .limit(limit)
    .execute();
  const heads = await readHeads(
    database,
    rows.map(({ id }) => id),
  );
  return {
    entries: rows.flatMap(({ id }) => heads.get(id) ?? []),
    next: rows.length === limit ? rows.at(-1) : last,
  };
}

const inOrder = <Query extends JobQuery>(query: Query) =>
  query.orderBy('jobs.acceptedAt', 'desc').orderBy('jobs.id', 'desc');

const restOf = (listed: JobQuery, after: AgeCursor | undefined) =>
  after === undefined ? listed : listed.where(whereAge('<', after));

/**
 * Finds the last job that one statement may examine, from the index alone; undefined if that is the rest of the
 * list. Jobs that are accepted or deleted meanwhile do not move it.
 */
const findBoundary = (listed: JobQuery, after: AgeCursor | undefined) =>
  inOrder(restOf(listed, after))
    .select(['jobs.acceptedAt as at', 'jobs.id'])
    .offset(maxExamined - 1)
    .limit(1)
    .executeTakeFirst();

/** Whether a row of `jobs` is older than a position, or not older than it. */
const whereAge = (operator: '<' | '>=', { at, id }: AgeCursor) =>
  sql<SqlBool>`(jobs.accepted_at, jobs.id) ${sql.raw(operator)} (${at}, ${id})`;

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
