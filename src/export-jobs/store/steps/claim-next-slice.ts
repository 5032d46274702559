import type { Selectable } from 'kysely';
import { anonymous, type Principal } from '#auth/principal.ts';
import type { Database, Queries } from '#database/database.ts';
import type { SliceRow } from '#database/tables.ts';
import { recordServed } from '../../queue/fair-share.ts';
import { pickNext } from '../../queue/pick-next.ts';
import type { TaskParameters } from '../../task-parameters.ts';
import { recordChange } from '../record-change.ts';
import { holdLease, type Lease } from './hold-lease.ts';
import { staleState } from './stale-state.ts';

/** A slice that is about to be sent, with everything that its CreateExportTask is made of. */
export interface Intent {
  jobId: string;
  slice: number;
  attempt: number;
  failures: number;
  misses: number;
  /** The principal that created the job, as it was then. */
  principal: Principal;
  caller: string;
  priority: number;
  marker: string;
  logGroupName: string;
  fromAt: number;
  toAt: number;
  destination: string;
  /** The prefix of its job: a template, or the one that a client of AWS asked for. */
  prefixTemplate: string;
  /** The prefix that AWS gets. */
  destinationPrefix: string;
  logStreamNamePrefix: string | null;
  /** What the caller sent over the protocol of AWS; null for every other job. */
  taskParameters: TaskParameters | null;
  /** The span of the request that created the job; null without traces. */
  traceParent: string | null;
}

/** What a claim needs from outside the store. */
export interface ClaimOptions {
  leaseMs: number;
  makeMarker: (slice: { jobId: string; slice: number; attempt: number }) => string;
  renderPrefix: (
    prefixTemplate: string,
    slice: {
      jobId: string;
      timeZone: string;
      revision: number;
      logGroupName: string;
      fromAt: number;
      attempt: number;
      taskParameters: TaskParameters | null;
    },
  ) => string;
  /** A point at which a test may end the process. */
  reachInside: () => Promise<void>;
}

/**
 * Claims the next slice: picks it, and records its marker and its attempt before AWS is called. So
 * after a crash the next owner of the slot knows which task to look for. `undefined` when no slice is
 * ready.
 */
export async function claimNextSlice(
  database: Database,
  lease: Lease,
  { leaseMs, makeMarker, renderPrefix, reachInside }: ClaimOptions,
): Promise<Intent | undefined> {
  const { target } = lease;
  return database.transaction(async (queries) => {
    await holdLease(queries, database, lease, leaseMs);
    const next = await pickNext(queries, database, target);
    if (!next) return undefined;
    const { jobId, number, priority, caller } = next;
    const attempt = 1 + (await readLatestAttempt(queries, next));
    const marker = makeMarker({ jobId, slice: number, attempt });
    const { prefixTemplate } = next;
    const destinationPrefix = renderPrefix(prefixTemplate, { ...next, attempt });

    const { logGroupName } = next;
    await recordChange(
      queries,
      database,
      jobId,
      { type: 'slice-starting', slice: number, attempt },
      {
        action: 'CreateExportTask',
        principal: caller,
        requestId: marker,
        logGroupName,
        destinationPrefix,
      },
    );
    const { numUpdatedRows } = await queries
      .updateTable('slices')
      .set({ state: 'starting', attempt })
      .where('jobId', '=', jobId)
      .where('number', '=', number)
      .where('state', '=', 'waiting')
      .executeTakeFirst();
    // The slice was cancelled between the pick and the lock of its job.
    if (numUpdatedRows === 0n) throw staleState();

    await recordServed(queries, database, { ...next, target });
    await queries
      .insertInto('attempts')
      .values({
        jobId,
        slice: number,
        attempt,
        target,
        marker,
        destinationPrefix,
        fence: lease.fence,
        submittedAt: database.now(),
      })
      .execute();
    await reachInside();
    const { fromAt, toAt, destination, logStreamNamePrefix, taskParameters, traceParent } = next;
    const { failures, misses } = next;
    return {
      jobId,
      slice: number,
      attempt,
      failures,
      misses,
      principal: toPrincipal(next),
      caller,
      priority,
      marker,
      logGroupName,
      fromAt,
      toAt,
      destination,
      prefixTemplate,
      destinationPrefix,
      logStreamNamePrefix,
      taskParameters,
      traceParent,
    };
  });
}

/**
 * Reads the number of the latest attempt of a slice. Slices of one split count their attempts together. A
 * quarter of an hour has the prefix of the hour in many templates, so only {attempt} tells them apart.
 */
async function readLatestAttempt(
  queries: Queries,
  next: Pick<Selectable<SliceRow>, 'jobId' | 'logGroupName' | 'parent' | 'attempt'>,
): Promise<number> {
  if (next.parent === null) return next.attempt;
  const { latest } = await queries
    .selectFrom('slices')
    .select(({ fn }) => fn.max<number>('attempt').as('latest'))
    .where('jobId', '=', next.jobId)
    .where('logGroupName', '=', next.logGroupName)
    .where((row) => row.or([row('parent', 'is not', null), row('state', '=', 'split')]))
    .executeTakeFirstOrThrow();
  return latest;
}

/** The principal of a job. A job from before callers were authenticated has only the name. */
function toPrincipal({
  caller,
  principal,
}: {
  caller: string;
  principal: string | null;
}): Principal {
  if (principal === null) return { ...anonymous, id: caller, subject: caller };
  return JSON.parse(principal);
}
