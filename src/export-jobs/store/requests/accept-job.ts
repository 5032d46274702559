import type { Insertable } from 'kysely';

import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database, Queries } from '#database/database.ts';
import type { SliceRow } from '#database/tables.ts';
import { inChunks } from '#paging/in-chunks.ts';
import { Problem } from '#problems/problem.ts';
import type { PlannedJob } from '../../planning/plan-job.ts';
import { openQueue } from '../../queue/fair-share.ts';
import { requireWaitingCapacity } from '../../queue/waiting-limit.ts';
import { recordChange } from '../record-change.ts';
import { claimKeys, type KeyUse } from './idempotency-key.ts';

/** What accepting a job needs. */
export interface Acceptance {
  jobId: string;
  /** The request of its caller. Each task is decided for this principal before it is sent. */
  request: CallerRequest;
  /** When its planning began, by the database's clock. */
  acceptedAt: number;
  keyUse: KeyUse | undefined;
  /** Further keys of the same request. */
  furtherKeyUses?: readonly KeyUse[];
  /** The span of the request, as a header traceparent. Default: none. */
  traceParent?: string | undefined;
  plan: PlannedJob;
  /** How many slices a caller may have waiting; 0 means no limit. */
  maxWaitingSlices: number;
  /** The partition of an archive that it exports. Default: none. */
  partition?: PartitionOfJob | undefined;
}

/** What a job of an archive exports. */
interface PartitionOfJob {
  archiveId: string;
  /** The incarnation of the log group in the archive. */
  incarnation: number;
  /** Which export of the partition it is: 1, 2, 3, … */
  revision: number;
}

// SQLite accepts 32,766 parameters in a statement, and a slice needs eleven. Fewer: more statements per
// job. More: all other requests wait longer, because SQLite works on the thread of its caller.
const slicesPerStatement = 100;

/**
 * Puts a job with its slices into the queue, in one transaction, and returns its id. When its key
 * already has a job, it writes nothing and returns the id of that job.
 * @throws Problem idempotency-key-reused, too-many-waiting-slices
 */
export async function acceptJob(database: Database, acceptance: Acceptance): Promise<string> {
  try {
    return await database.transaction((queries) => writeJob(queries, database, acceptance));
  } catch (failure) {
    // Perhaps only the answer to COMMIT was lost: then the job exists.
    const isLost = failure instanceof Problem && failure.slug === 'database-unavailable';
    if (isLost && (await jobExists(database, acceptance.jobId))) return acceptance.jobId;
    throw failure;
  }
}

async function jobExists({ queries }: Database, jobId: string): Promise<boolean> {
  const query = queries.selectFrom('jobs').select('id').where('id', '=', jobId);
  return query.executeTakeFirst().then(Boolean, () => false);
}

/** Puts a job with its slices into the queue, in the transaction of the caller. See `acceptJob`. */
export async function writeJob(
  queries: Queries,
  database: Database,
  acceptance: Acceptance,
): Promise<string> {
  const { jobId, request, acceptedAt, keyUse, traceParent, plan, partition } = acceptance;
  const { furtherKeyUses = [] } = acceptance;
  const { principal } = request;
  const caller = principal.id;
  const keyUses = keyUse ? [keyUse, ...furtherKeyUses] : furtherKeyUses;
  const known = await claimKeys(queries, keyUses, { jobId, caller, createdAt: acceptedAt });
  if (known !== undefined) return known;
  const { job, slices, policies } = plan;
  await requireWaitingCapacity(queries, caller, slices.length, acceptance.maxWaitingSlices);
  const { prefixTemplate, isUnsettledAllowed, ...columns } = job;
  const { target, priority } = job;
  await queries
    .insertInto('jobs')
    .values({
      ...columns,
      id: jobId,
      caller,
      principal: JSON.stringify(principal),
      destinationPrefix: prefixTemplate,
      isUnsettledAllowed: isUnsettledAllowed ? 1 : 0,
      acceptedAt,
      cancelRequestedAt: null,
      traceParent: traceParent ?? null,
      ...partition,
    })
    .execute();
  const jobColumns = { jobId, target, caller, priority, state: 'waiting' };
  for await (const chunk of inChunks(slices, slicesPerStatement)) {
    const rows = chunk.map((slice): Insertable<SliceRow> => ({ ...slice, ...jobColumns }));
    await queries.insertInto('slices').values(rows).execute();
  }
  await openQueue(queries, { target, caller, priority });
  await recordChange(
    queries,
    database,
    jobId,
    { type: 'job-accepted', slices: slices.length },
    { action: 'CreateExportJob', principal: caller, requestId: request.id, policies },
  );
  await database.notify(queries, target);
  return jobId;
}
