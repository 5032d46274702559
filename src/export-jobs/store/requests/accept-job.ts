import { createHash } from 'node:crypto';
import type { Insertable } from 'kysely';

import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database, Queries } from '#database/database.ts';
import type { SliceRow } from '#database/tables.ts';
import { Problem } from '#problems/problem.ts';
import { inChunks } from '../../in-chunks.ts';
import type { PlannedJob } from '../../planning/plan-job.ts';
import { requireWaitingCapacity } from '../../queue/waiting-limit.ts';
import { recordChange } from '../record-change.ts';

/** A caller's Idempotency-Key, and what request it came with. */
export interface KeyUse {
  key: string;
  /** Of the request, by `digestOf`. */
  digest: string;
}

/** A job to be accepted. */
export interface Acceptance {
  jobId: string;
  /** Its caller, by whom each of its tasks is decided when its turn has come. */
  request: CallerRequest;
  /** By the database's clock: when its planning began. */
  acceptedAt: number;
  keyUse: KeyUse | undefined;
  plan: PlannedJob;
  /** How many slices a caller may have waiting; 0 is any number. */
  maxWaitingSlices: number;
}

// SQLite takes 32,766 parameters in a statement, and a slice needs eleven. More at once take longer
// than everybody else in this process should wait: SQLite works on the thread of its caller.
const slicesAtOnce = 100;

/** What tells one request from another: SHA-256 over its JSON, whatever the order of its members. */
export function digestOf(request: unknown): string {
  const inOrder = (_name: string, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  return createHash('sha256').update(JSON.stringify(request, inOrder)).digest('base64url');
}

/**
 * The job a caller's key stands for; `undefined` when it is new.
 * @throws Problem idempotency-key-reused, when it came with another request
 */
export async function findJobOfKey(
  queries: Queries,
  caller: string,
  { key, digest }: KeyUse,
): Promise<string | undefined> {
  const known = await queries
    .selectFrom('idempotencyKeys')
    .select(['digest', 'jobId'])
    .where('caller', '=', caller)
    .where('key', '=', key)
    .executeTakeFirst();
  if (known && known.digest !== digest) {
    const detail = 'This key was used before with a different body or target.';
    throw new Problem('idempotency-key-reused', detail);
  }
  return known?.jobId;
}

/**
 * Puts a job with its slices into the queue, in one transaction; when its key already stands for a
 * job, that one is the answer and nothing is written. Returns the id of the job.
 * @throws Problem idempotency-key-reused, too-many-waiting-slices
 */
export async function acceptJob(database: Database, acceptance: Acceptance): Promise<string> {
  try {
    return await database.transaction((queries) => writeJob(queries, database, acceptance));
  } catch (failure) {
    // The answer to COMMIT may be what was lost: then the job is there.
    const isLost = failure instanceof Problem && failure.slug === 'database-unavailable';
    if (isLost && (await isThere(database, acceptance.jobId))) return acceptance.jobId;
    throw failure;
  }
}

async function isThere({ queries }: Database, jobId: string): Promise<boolean> {
  const query = queries.selectFrom('jobs').select('id').where('id', '=', jobId);
  return query.executeTakeFirst().then(Boolean, () => false);
}

async function writeJob(
  queries: Queries,
  database: Database,
  { jobId, request, acceptedAt, keyUse, plan, maxWaitingSlices }: Acceptance,
): Promise<string> {
  const { principal } = request;
  const caller = principal.id;
  if (keyUse) {
    // Of equal keys at once, the second waits here for the first to commit.
    const written = await queries
      .insertInto('idempotencyKeys')
      .values({ ...keyUse, caller, jobId, createdAt: acceptedAt })
      .onConflict((conflict) => conflict.doNothing())
      .returning('jobId')
      .executeTakeFirst();
    const known = written ? undefined : await findJobOfKey(queries, caller, keyUse);
    if (known !== undefined) return known;
  }
  const { job, slices, policies } = plan;
  await requireWaitingCapacity(queries, caller, slices.length, maxWaitingSlices);
  const { target, priority, isUnsettledAllowed } = job;
  await queries
    .insertInto('jobs')
    .values({
      ...job,
      id: jobId,
      caller,
      principal: JSON.stringify(principal),
      isUnsettledAllowed: isUnsettledAllowed ? 1 : 0,
      acceptedAt,
      cancelRequestedAt: null,
    })
    .execute();
  const ofJob = { jobId, target, caller, priority, state: 'waiting' };
  for await (const some of inChunks(slices, slicesAtOnce)) {
    const rows = some.map((slice): Insertable<SliceRow> => ({ ...slice, ...ofJob }));
    await queries.insertInto('slices').values(rows).execute();
  }
  await queries
    .insertInto('lines')
    .values({ target, priority, caller })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await recordChange(
    queries,
    database,
    jobId,
    { type: 'job-accepted', slices: slices.length },
    { action: 'CreateExportJob', principal: caller, requestId: request.id, policies },
  );
  return jobId;
}
