import { randomUUID } from 'node:crypto';
import type { Insertable } from 'kysely';

import type { Database } from '#database/database.ts';
import type { VerificationRow } from '#database/rows/verification-row.ts';
import { openQueue } from '#export-jobs/queue/fair-share.ts';
import type { SliceState } from '#export-jobs/slice.ts';
import { recordChange } from '#export-jobs/store/record-change.ts';
import { testAuditContext } from './caller-requests.ts';

/** The values of a job that matter to a test; the others are the same for all jobs. */
export interface JobValues {
  id?: string;
  target?: string;
  caller?: string;
  priority?: number;
  /** The state of each slice, and when it is ready, in epoch ms. */
  slices?: { state?: SliceState; readyAt?: number }[];
}

/** Inserts the rows of an accepted job. Returns its id. */
export async function insertJob(database: Database, job: JobValues = {}): Promise<string> {
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
    await openQueue(queries, queue);
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

/** The values of an attempt that matter to a test. */
export interface AttemptValues {
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
  /** The stored problem. */
  problem?: string;
  destinationPrefix?: string;
}

/** Inserts an attempt as the latest of its slice. */
export async function insertAttempt(database: Database, values: AttemptValues): Promise<void> {
  const { slice = 0, attempt = 1, ...rest } = values;
  await database.queries
    .insertInto('attempts')
    .values({
      target: 'default',
      taskId: null,
      taskCreatedAt: null,
      taskCompletedAt: null,
      endedAt: null,
      outcome: null,
      destinationPrefix: 'exports',
      problem: null,
      ...rest,
      slice,
      attempt,
      marker: `xp1-test-${randomUUID()}`,
      fence: 1,
    })
    .execute();
  await database.queries
    .updateTable('slices')
    .set({ attempt })
    .where('jobId', '=', rest.jobId)
    .where('number', '=', slice)
    .execute();
}

/** Inserts a verification. Returns nothing: its job need not exist. */
export async function insertVerification(
  database: Pick<Database, 'queries'>,
  {
    jobId = 'job',
    slice = 0,
    attempt = 1,
    target = 'default',
    taskId = 'task',
    ...rest
  }: Partial<Insertable<VerificationRow>>,
): Promise<void> {
  await database.queries
    .insertInto('verifications')
    .values({
      jobId,
      slice,
      attempt,
      target,
      taskId,
      accountId: '123456789012',
      region: 'eu-west-1',
      beganAt: 0,
      dueAt: 0,
      ...rest,
    })
    .execute();
}
