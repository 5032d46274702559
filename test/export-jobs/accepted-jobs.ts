import { randomUUID } from 'node:crypto';

import type { Database } from '#database/database.ts';
import type { PlannedJob } from '#export-jobs/planning/plan-job.ts';
import type { SliceState } from '#export-jobs/slice.ts';
import { type JobChange, recordChange } from '#export-jobs/store/record-change.ts';
import { acceptJob } from '#export-jobs/store/requests/accept-job.ts';
import { requestOf, testAuditContext } from './caller-requests.ts';

/** A valid body of POST /export-jobs, with three slices. */
export const jobBody = {
  name: 'three days',
  logGroupNames: ['/app'],
  from: '2024-05-01T00:00:00Z',
  to: '2024-05-04T00:00:00Z',
  sliceBy: 'day',
  destination: 'archive',
};

const dayMs = 24 * 3_600_000;
const firstDay = Date.UTC(2024, 0, 1);

/** Makes a plan of slices of one day. */
export function planOf(slices: number, facts: Partial<PlannedJob['job']> = {}) {
  const toAt = firstDay + slices * dayMs;
  return {
    job: {
      target: 'default',
      name: null,
      priority: 0,
      sliceBy: 'day' as const,
      timeZone: 'UTC',
      fromAt: firstDay,
      toAt,
      destination: 'archive',
      prefixTemplate: 'jobs/{jobId}',
      logStreamNamePrefix: null,
      isUnsettledAllowed: false,
      verification: 'objects' as const,
      logGroupBytes: null,
      ...facts,
    },
    logGroupNames: ['/app'],
    slices: Array.from({ length: slices }, (_, number) => ({
      number,
      logGroupName: '/app',
      fromAt: firstDay + number * dayMs,
      toAt: firstDay + (number + 1) * dayMs,
      notBeforeAt: null,
      readyAt: toAt,
    })),
    policies: ['a-rule'],
  } satisfies PlannedJob;
}

/** The values of a job that a test accepts. */
export interface GivenJob {
  caller?: string;
  acceptedAt?: number;
  facts?: Partial<PlannedJob['job']>;
}

/** Accepts a job, without the API. Returns its id. */
export function givenJob(
  database: Database,
  slices: number,
  { caller = 'anonymous', acceptedAt = firstDay, facts = {} }: GivenJob = {},
): Promise<string> {
  const jobId = randomUUID();
  const plan = planOf(slices, facts);
  return acceptJob(database, {
    jobId,
    request: requestOf(caller),
    acceptedAt,
    keyUse: undefined,
    plan,
    maxWaitingSlices: 0,
  });
}

/** Brings a slice into a state, with an event, as the dispatcher does. */
export function bringTo(
  database: Database,
  jobId: string,
  slice: number,
  state: SliceState,
  problem: object | null = null,
): Promise<void> {
  return database.transaction(async (queries) => {
    await queries
      .updateTable('slices')
      .set({ state, problem: problem && JSON.stringify(problem) })
      .where('jobId', '=', jobId)
      .where('number', '=', slice)
      .execute();
    const change = { type: `slice-${state}`, slice, attempt: 1 } as JobChange;
    await recordChange(queries, database, jobId, change, testAuditContext);
  });
}

/** Makes a problem as it is stored with a slice. */
export const sliceProblem = (type: string, detail = 'It failed.') => ({
  type: `/problems/${type}`,
  title: 'It failed',
  detail,
  isRetryable: true,
  remedy: 'Try again.',
});
