import { randomUUID } from 'node:crypto';

import type { Database } from '#database/database.ts';
import type { Deleted, PurgedRow } from '#export-jobs/retention/deletion-step.ts';
import { type PurgeOptions, purge } from '#export-jobs/retention/purge.ts';
import type { SliceState } from '#export-jobs/slice.ts';
import { recordChange } from '#export-jobs/store/record-change.ts';
import { acceptJob } from '#export-jobs/store/requests/accept-job.ts';
import { planOf } from '../accepted-jobs.ts';
import { requestOf, testAuditContext } from '../caller-requests.ts';

export const dayMs = 86_400_000;
export const start = Date.UTC(2024, 5, 1);

/** The values of a job that matter to a test. */
interface EndedJob {
  slices?: number;
  state?: SliceState;
  caller?: string;
  key?: string;
}

/** Inserts a job whose slices are all in one state, each with an attempt. Returns its id. */
export async function putJob(database: Database, job: EndedJob = {}): Promise<string> {
  const { slices = 1, state = 'completed', caller = 'anonymous', key } = job;
  const jobId = randomUUID();
  const { at } = await database.queries
    .selectNoFrom(database.now().as('at'))
    .executeTakeFirstOrThrow();
  await acceptJob(database, {
    jobId,
    request: requestOf(caller),
    acceptedAt: at,
    keyUse: key === undefined ? undefined : { key, digest: '' },
    plan: planOf(slices, { target: jobId }),
    maxWaitingSlices: 0,
  });
  await database.transaction(async (queries) => {
    await queries
      .updateTable('slices')
      .set({ state, attempt: 1 })
      .where('jobId', '=', jobId)
      .execute();
    for (let from = 0; from < slices; from += 500) {
      const numbers = Array.from({ length: Math.min(500, slices - from) }, (_, n) => from + n);
      await queries
        .insertInto('attempts')
        .values(
          numbers.map((slice) => ({
            jobId,
            slice,
            attempt: 1,
            target: jobId,
            marker: `xp1-test-${jobId}-${slice}`,
            destinationPrefix: 'exports',
            fence: 1,
            submittedAt: at,
          })),
        )
        .execute();
    }
    const change = { type: 'slice-completed', slice: 0, attempt: 1, taskId: 'task' } as const;
    await recordChange(queries, database, jobId, change, testAuditContext);
  });
  return jobId;
}

/** Purges once, and sleeps in no time. `afterEach` is called after each transaction. */
export async function purgeOnce(
  database: Database,
  options: Partial<PurgeOptions> = {},
  afterEach: (stop: () => void) => void | Promise<void> = () => {},
): Promise<{ deleted: Deleted; dueInMs: number | undefined }> {
  const stop = new AbortController();
  const deleted: Deleted = {};
  const dueInMs = await purge(
    {
      database,
      owner: 'a replica',
      keep: { finishedJobsMs: 90 * dayMs, auditMs: 400 * dayMs },
      elapsed: () => 0,
      async sleep() {
        await afterEach(() => stop.abort());
      },
      ...options,
    },
    (more) => {
      for (const [kind, rows] of Object.entries(more) as [PurgedRow, number][]) {
        deleted[kind] = (deleted[kind] ?? 0) + rows;
      }
    },
    stop.signal,
  );
  return { deleted, dueInMs };
}

/** The ids of the jobs of a table. */
export async function idsIn(
  { queries }: Database,
  table: 'jobs' | 'slices' | 'attempts' | 'events',
): Promise<string[]> {
  if (table === 'jobs') {
    return (await queries.selectFrom('jobs').select('id').execute()).map(({ id }) => id);
  }
  const rows = await queries.selectFrom(table).select('jobId').distinct().execute();
  return rows.map(({ jobId }) => jobId);
}
