import { anonymous, type Principal } from '#auth/principal.ts';
import type { Database } from '#database/database.ts';
import { recordServed } from '../../queue/fair-share.ts';
import { pickNext } from '../../queue/pick-next.ts';
import { recordChange } from '../record-change.ts';
import { holdLease, type Lease } from './lease.ts';
import { staleState } from './stale-state.ts';

/** A slice that is about to be sent: everything CreateExportTask takes, but for what is made of it. */
export interface Intent {
  jobId: string;
  slice: number;
  attempt: number;
  /** Who asked for the job, as they were then. */
  principal: Principal;
  caller: string;
  priority: number;
  marker: string;
  logGroupName: string;
  fromAt: number;
  toAt: number;
  destination: string;
  destinationPrefix: string;
  logStreamNamePrefix: string | null;
}

/** What of an intent is made outside the store. */
export interface IntentMaking {
  leaseMs: number;
  makeMarker: (slice: { jobId: string; slice: number; attempt: number }) => string;
  makePrefix: (
    template: string,
    slice: {
      jobId: string;
      timeZone: string;
      logGroupName: string;
      fromAt: number;
      attempt: number;
    },
  ) => string;
  /** A point at which a test may end the process. */
  reachInside: () => Promise<void>;
}

/**
 * Picks the next slice and writes down, before anybody is called, that it is about to be sent and
 * under which marker. Who has not stepped aside goes first; then the higher priority, but for every
 * tenth start; among equals callers take turns; of one caller the oldest. `undefined` when none is ready.
 */
export async function startNext(
  database: Database,
  lease: Lease,
  { leaseMs, makeMarker, makePrefix, reachInside }: IntentMaking,
): Promise<Intent | undefined> {
  const { target } = lease;
  return database.transaction(async (queries) => {
    await holdLease(queries, database, lease, leaseMs);
    const next = await pickNext(queries, database, target);
    if (!next) return undefined;
    const { jobId, number, priority, caller } = next;
    const attempt = next.attempt + 1;
    const marker = makeMarker({ jobId, slice: number, attempt });
    const destinationPrefix = makePrefix(next.prefixTemplate, { ...next, attempt });

    const { logGroupName } = next;
    await recordChange(
      queries,
      database,
      jobId,
      { type: 'slice-starting', slice: number, attempt },
      {
        ...{ action: 'CreateExportTask', principal: caller, requestId: marker },
        ...{ logGroupName, destinationPrefix },
      },
    );
    const { numUpdatedRows } = await queries
      .updateTable('slices')
      .set({ state: 'starting', attempt })
      .where('jobId', '=', jobId)
      .where('number', '=', number)
      .where('state', '=', 'waiting')
      .executeTakeFirst();
    // It was cancelled between the pick and the lock of its job.
    if (numUpdatedRows === 0n) throw staleState();

    await recordServed(queries, { target, priority, caller });
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
    const { fromAt, toAt, destination, logStreamNamePrefix } = next;
    return {
      ...{ jobId, slice: number, attempt, principal: whoAsked(next), caller, priority },
      ...{ marker, logGroupName, fromAt, toAt },
      ...{ destination, destinationPrefix, logStreamNamePrefix },
    };
  });
}

/** Who asked for a job; of a job from before callers were told apart, only the name is known. */
function whoAsked({ caller, principal }: { caller: string; principal: string | null }): Principal {
  if (principal === null) return { ...anonymous, id: caller, subject: caller };
  return JSON.parse(principal);
}
