import { type RawBuilder, type Selectable, type SqlBool, sql } from 'kysely';

import type { Database } from '#database/database.ts';
import type { JobRow } from '#database/tables.ts';
import { activeStates, type JobState, type SliceState } from '../../slice.ts';

/** What every question about a job begins with: how often it has changed, and what says who may ask. */
export interface JobHead
  extends Pick<
    Selectable<JobRow>,
    | 'id'
    | 'caller'
    | 'version'
    | 'target'
    | 'destination'
    | 'destinationPrefix'
    | 'timeZone'
    | 'priority'
    | 'acceptedAt'
  > {
  /** The first of its log groups. */
  logGroupName: string;
  /** Where its first slice begins: each of its log groups has one that begins there. */
  fromAt: number;
  hasMoreLogGroups: boolean;
  /** The place its target means, by the slot's last owner; null when it had none yet. */
  accountId: string | null;
  region: string | null;
}

/** A place in the list of jobs, newest first. */
export interface JobCursor {
  acceptedAt: number;
  id: string;
}

/** Which jobs to list. */
export interface JobFilter {
  /** Of everybody when left out. */
  caller?: string | undefined;
  state?: JobState | undefined;
  target?: string | undefined;
  name?: string | undefined;
  after?: JobCursor | undefined;
  limit: number;
}

/**
 * Reads the heads of jobs by their primary keys; one that does not exist is left out. It is a row all
 * the same until then, so that it takes as long as one that does.
 */
export async function readHeads(
  { queries }: Database,
  jobIds: readonly string[],
): Promise<Map<string, JobHead>> {
  if (jobIds.length === 0) return new Map();
  const rows = await queries
    .with(
      'asked(askedId)',
      () => sql<{ askedId: string }>`(values ${sql.join(jobIds.map((id) => sql`(${id})`))})`,
    )
    .selectFrom('asked')
    .leftJoin('jobs', 'jobs.id', 'askedId')
    .leftJoin('slices as first', (join) =>
      join.onRef('first.jobId', '=', 'askedId').on('first.number', '=', 0),
    )
    // Slices are numbered log group by log group within a window: this is another one, or a later window.
    .leftJoin('slices as second', (join) =>
      join
        .onRef('second.jobId', '=', 'askedId')
        .on('second.number', '=', 1)
        .onRef('second.fromAt', '=', 'first.fromAt'),
    )
    .leftJoin('slots', 'slots.target', 'jobs.target')
    .select(['askedId as id', 'jobs.caller', 'version', 'jobs.target', 'destination'])
    .select(['destinationPrefix', 'timeZone', 'jobs.priority', 'acceptedAt', 'accountId', 'region'])
    .select(['first.logGroupName', 'first.fromAt', 'second.number as more'])
    .execute();
  const heads = rows.map(({ more, ...head }) => ({ ...head, hasMoreLogGroups: more !== null }));
  return new Map(heads.filter(isThere).map((head) => [head.id, head]));
}

function isThere(head: { caller: string | null }): head is JobHead {
  return head.caller !== null;
}

/** Reads the heads of a page of jobs, newest first. */
export async function readHeadPage(
  database: Database,
  { caller, state, target, name, after, limit }: JobFilter,
): Promise<JobHead[]> {
  let query = database.queries.selectFrom('jobs').select('id');
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

// What is decided of in two or three breaths.
const logGroupsPerPage = 200;

/** A page of the log groups of a job, those of its slices from a number on; less than a page at the end. */
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
    .orderBy('number')
    .execute();
  return {
    logGroupNames: rows.map(({ logGroupName }) => logGroupName),
    next: rows.length === logGroupsPerPage ? from + logGroupsPerPage : undefined,
  };
}

/** Whether a row of `jobs` is in a state: `jobStateOf` in SQL. */
function whereState(state: JobState): RawBuilder<SqlBool> {
  const anySlice = (...states: readonly SliceState[]) =>
    sql<SqlBool>`exists (select 1 from slices where job_id = jobs.id and state in (${sql.join(states)}))`;
  const cancelRequested = sql<SqlBool>`cancel_requested_at is not null`;
  const active = anySlice(...activeStates);
  const begun = sql<SqlBool>`(${active} or ${anySlice('completed', 'failed', 'cancelled')})`;
  const over = sql<SqlBool>`not ${anySlice('waiting', ...activeStates)}`;
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
