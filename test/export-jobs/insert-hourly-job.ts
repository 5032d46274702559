import { randomUUID } from 'node:crypto';

import type { Database } from '#database/database.ts';
import { openQueue } from '#export-jobs/queue/fair-share.ts';
import { recordChange } from '#export-jobs/store/record-change.ts';
import { testAuditContext } from './caller-requests.ts';

/** 2024-05-01T00:00:00Z: the start of virtual time, after the windows of all jobs. */
export const startAt = Date.UTC(2024, 4, 1);

/** The start of the first window of each job. */
export const firstWindowAt = startAt - 30 * 86_400_000;

/** The values of a job that matter to a test. */
export interface HourlyJob {
  target?: string;
  caller?: string;
  priority?: number;
  logGroupName?: string;
  /** Several log groups, in turn. */
  logGroupNames?: readonly string[];
  slices?: number;
  /** The start of its first window, epoch ms. Default: `firstWindowAt`. */
  fromAt?: number;
  /** The length of the window of a slice, in ms. Default: an hour. */
  sliceMs?: number;
  /** How long its slices still wait for their log events. */
  readyInMs?: number;
  destination?: string;
  destinationPrefix?: string;
  timeZone?: string;
  /** How its exports are verified. Default: they are not. */
  verification?: 'off' | 'objects' | 'count';
  /** The span of its request. Default: none. */
  traceParent?: string;
}

/** Inserts an accepted job with slices of one hour, or of `sliceMs`. Returns its id. */
export async function insertHourlyJob(database: Database, job: HourlyJob = {}): Promise<string> {
  const { target = 'default', caller = 'anonymous', priority = 0, slices = 1 } = job;
  const { sliceMs = 3_600_000, fromAt = firstWindowAt } = job;
  const { logGroupName = '/app', readyInMs = 0, destination = 'archive' } = job;
  const { logGroupNames = [logGroupName] } = job;
  const {
    destinationPrefix = 'jobs/{jobId}/{attempt}',
    timeZone = 'UTC',
    traceParent = null,
    verification = 'off',
  } = job;
  const id = randomUUID();
  await database.transaction(async (queries) => {
    await queries
      .insertInto('jobs')
      .values({
        id,
        target,
        caller,
        priority,
        destination,
        fromAt,
        toAt: fromAt + slices * sliceMs,
        sliceBy: 'hour',
        timeZone,
        destinationPrefix,
        isUnsettledAllowed: 0,
        acceptedAt: database.now(),
        traceParent,
        verification,
      })
      .execute();
    const numbers = Array.from({ length: slices }, (_, number) => number);
    // Both databases accept about ten thousand parameters in a statement.
    for (let first = 0; first < slices; first += 1_000) {
      await queries
        .insertInto('slices')
        .values((of) =>
          numbers.slice(first, first + 1_000).map((number) => ({
            jobId: id,
            number,
            target,
            caller,
            priority,
            logGroupName: logGroupNames[number % logGroupNames.length] as string,
            state: 'waiting',
            fromAt: fromAt + number * sliceMs,
            toAt: fromAt + (number + 1) * sliceMs,
            readyAt: of(database.now(), '+', readyInMs),
            notBeforeAt: readyInMs > 0 ? of(database.now(), '+', readyInMs) : null,
          })),
        )
        .execute();
    }
    await openQueue(queries, { target, priority, caller });
    const change = { type: 'job-accepted', slices } as const;
    await recordChange(queries, database, id, change, testAuditContext);
  });
  return id;
}
