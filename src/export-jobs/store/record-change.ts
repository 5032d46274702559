import { type Insertable, sql } from 'kysely';

import type { Action } from '#auth/authorization/action.ts';
import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database, Queries } from '#database/database.ts';
import type { AuditEntryRow } from '#database/rows/audit-entry-row.ts';
import type { ProblemSlug } from '#problems/catalogue.ts';
import { recordEnd } from './record-end.ts';
import { whereOpenSlices } from './slice-conditions.ts';

/** A change of a job or one of its slices, as its event stream has it. */
export type JobChange =
  | { type: 'job-accepted'; slices: number }
  | { type: 'job-cancel-requested' }
  | { type: 'slices-cancelled'; slices: number }
  | { type: 'slices-retried'; slices: number }
  | { type: 'slices-failed'; slices: number; problem: ProblemSlug; logGroupName?: string }
  | { type: 'slice-starting'; slice: number; attempt: number }
  | { type: 'slice-running'; slice: number; attempt: number; taskId: string }
  | { type: 'slice-waiting'; slice: number; attempt: number; readyInMs: number; problem: string }
  | { type: 'slice-cancelling'; slice: number; attempt: number; taskId: string }
  | { type: 'slice-verifying'; slice: number; attempt: number; taskId: string }
  | { type: 'slice-completed'; slice: number; attempt: number; taskId: string }
  | { type: 'slice-failed'; slice: number; attempt: number; problem: string }
  | { type: 'slice-cancelled'; slice: number; attempt: number }
  | {
      type: 'slice-split';
      slice: number;
      attempt: number;
      problem: ProblemSlug;
      /** The numbers of the slices that are exported instead. */
      children: number[];
    };

/** Who requested a change, and the ids of the policies that permitted it. */
export interface Approval {
  request: CallerRequest;
  policies: readonly string[];
}

/** Who did something, and what permitted it: the part of an audit entry beside the change itself. */
export interface AuditContext {
  action: Action | 'VerifyExport';
  /** The id of a principal; the gateway's own id for what it only observed. */
  principal: string;
  /** The id of the request, or the marker of the attempt. */
  requestId: string;
  /** Ids of the policies that decided; absent when there was no decision. */
  policies?: readonly string[] | undefined;
  logGroupName?: string;
  /** The prefix that was sent to AWS; the prefix template of the job when absent. */
  destinationPrefix?: string;
  awsRequestId?: string | undefined;
  /** The problem that the call to AWS ended with; the problem of the change when absent. */
  problem?: ProblemSlug | undefined;
  manifestSha256?: string | undefined;
}

/**
 * Records a change of a job and who made it, in the transaction of the change. The version of the job
 * grows by one, and an event and an audit entry get that version. The job has ended if the change left
 * no open slice: so the slices are changed first, after `lockJob`. Locks the row of the job until the
 * transaction ends.
 */
export async function recordChange(
  queries: Queries,
  database: Pick<Database, 'now' | 'notify'>,
  jobId: string,
  { type, ...data }: JobChange,
  auditContext: AuditContext,
): Promise<void> {
  const { version, endedAt, caller, cancelRequestedAt, ...job } = await queries
    .updateTable('jobs')
    .set((row) => ({
      version: row('version', '+', 1),
      endedAt: sql<
        number | null
      >`case when ${whereOpenSlices} then null else ${database.now()} end`,
    }))
    .where('id', '=', jobId)
    .returning(['version', 'endedAt', 'target', 'destination', 'destinationPrefix', 'archiveId'])
    .returning(['caller', 'cancelRequestedAt'])
    .executeTakeFirstOrThrow();
  if (endedAt !== null && job.archiveId !== null)
    await requestLook(queries, database, job.archiveId);
  // The change after a request of cancel is the end.
  if (endedAt !== null && type !== 'job-cancel-requested') {
    await recordEnd(queries, database, { ...job, jobId, caller, version, cancelRequestedAt });
  }
  // Callers see the time of the last event as the end of the job.
  const at = endedAt ?? database.now();
  await queries
    .insertInto('events')
    .values({ jobId, version, at, type, data: JSON.stringify(data) })
    .execute();
  const { problem = 'ok', slice = null, taskId = null } = data as Partial<SliceData>;
  const entry = { ...job, jobId, version, change: type, slice, taskId };
  await addEntry(
    queries,
    database,
    { ...entry, outcome: auditContext.problem ?? problem },
    auditContext,
  );
}

/** Makes an archive due for a look: one of its jobs has ended. */
async function requestLook(
  queries: Queries,
  { now }: Pick<Database, 'now'>,
  archiveId: string,
): Promise<void> {
  await queries
    .updateTable('archives')
    .set({ lookDueAt: now() })
    .where('id', '=', archiveId)
    .where('lookDueAt', '>', now())
    .execute();
}

interface SliceData {
  slice: number;
  taskId: string;
  problem: string;
}

/** Records a call to AWS that changed nothing in a job. */
export async function recordCall(
  database: Database,
  call: Pick<Insertable<AuditEntryRow>, 'target' | 'jobId' | 'taskId' | 'destination'>,
  auditContext: AuditContext,
): Promise<void> {
  const entry = { ...call, outcome: auditContext.problem ?? 'ok' };
  await addEntry(database.queries, database, entry, auditContext);
}

async function addEntry(
  queries: Queries,
  { now }: Pick<Database, 'now'>,
  entry: Omit<Insertable<AuditEntryRow>, 'at' | 'policies' | keyof AuditContext>,
  { policies = [], problem: _outcome, ...auditContext }: AuditContext,
): Promise<void> {
  await queries
    .insertInto('auditEntries')
    .values({ ...entry, ...auditContext, at: now(), policies: JSON.stringify(policies) })
    .execute();
}
