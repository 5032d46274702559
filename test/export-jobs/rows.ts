import { randomUUID } from 'node:crypto';

import type { Database } from '#database/database.ts';
import type { SliceState } from '#export-jobs/slice.ts';
import { recordChange } from '#export-jobs/store/record-change.ts';
import { testAuditContext } from './deeds.ts';

/** A job as a test puts it into the queue: what is left out is the same for all. */
export interface QueuedJob {
  id?: string;
  target?: string;
  caller?: string;
  priority?: number;
  /** The state of each of its slices, and when it joined the queue, in epoch ms. */
  slices?: { state?: SliceState; readyAt?: number }[];
}

/** Puts a job into the queue as accepting one does; its id. */
export async function putJob(database: Database, job: QueuedJob = {}): Promise<string> {
  const { id = randomUUID(), target = 'default', caller = 'anonymous', priority = 0 } = job;
  const { slices = [{}] } = job;
  const queue = { target, caller, priority };
  const window = { fromAt: 0, toAt: 3_600_000 };
  await database.transaction(async (queries) => {
    await queries
      .insertInto('jobs')
      .values({
        id,
        ...queue,
        ...window,
        name: null,
        sliceBy: 'none',
        destination: 'archive',
        destinationPrefix: 'exports',
        logStreamNamePrefix: null,
        isUnsettledAllowed: 0,
        logGroupBytes: null,
        acceptedAt: database.now(),
        cancelRequestedAt: null,
      })
      .execute();
    await queries
      .insertInto('lines')
      .values(queue)
      .onConflict((known) => known.doNothing())
      .execute();
    for (const [number, { state = 'waiting', readyAt = 0 }] of slices.entries()) {
      const place = { jobId: id, number, ...queue, ...window, notBeforeAt: null, problem: null };
      await queries
        .insertInto('slices')
        .values({ ...place, logGroupName: '/app', readyAt, state })
        .execute();
    }
    const change = { type: 'job-accepted', slices: slices.length } as const;
    await recordChange(queries, database, id, change, testAuditContext);
  });
  return id;
}

/** An attempt as a test writes it down. */
export interface AttemptMade {
  jobId: string;
  slice?: number;
  attempt?: number;
  target?: string;
  taskId?: string | null;
  submittedAt: number;
  taskCreatedAt?: number | null;
  taskCompletedAt?: number | null;
  endedAt?: number | null;
  outcome?: string | null;
}

/** Writes down an attempt at a slice, and that it is the slice's latest. */
export async function putAttempt(database: Database, made: AttemptMade): Promise<void> {
  const { slice = 0, attempt = 1, ...rest } = made;
  await database.queries
    .insertInto('attempts')
    .values({
      target: 'default',
      taskId: null,
      taskCreatedAt: null,
      taskCompletedAt: null,
      endedAt: null,
      outcome: null,
      ...rest,
      slice,
      attempt,
      marker: `xp1-test-${randomUUID()}`,
      destinationPrefix: 'exports',
      fence: 1,
      problem: null,
    })
    .execute();
  await database.queries
    .updateTable('slices')
    .set({ attempt })
    .where('jobId', '=', rest.jobId)
    .where('number', '=', slice)
    .execute();
}
