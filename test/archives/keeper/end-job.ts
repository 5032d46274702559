import { recordCoverage } from '#coverage/record-coverage.ts';
import type { Database, Queries } from '#database/database.ts';
import type { SliceState } from '#export-jobs/slice.ts';
import { lockJob } from '#export-jobs/store/lock-job.ts';
import { recordChange } from '#export-jobs/store/record-change.ts';
import { Problem } from '#problems/problem.ts';
import { sliceProblem } from '../../export-jobs/accepted-jobs.ts';
import { testAuditContext } from '../../export-jobs/caller-requests.ts';
import { insertVerification } from '../../export-jobs/insert-rows.ts';

/** What becomes of a job of one slice. */
export type JobEnd =
  | { outcome: 'covered'; isEmpty?: boolean }
  /** The service role may not list the objects. */
  | { outcome: 'unverified' }
  /** It has no objects, and the service role may not look for log events. */
  | { outcome: 'unproven' }
  /** A replica of an older version verified it. */
  | { outcome: 'unrecorded' }
  | { outcome: 'failed'; problem: string; detail?: string }
  | { outcome: 'cancelled' };

/** The problems of creates that AWS refuses. */
const refusals = [
  'service-role-not-permitted',
  'destination-not-found',
  'destination-not-writable',
];

/** The verifications that are no coverage. */
const verifications: { [Outcome in JobEnd['outcome']]?: Parameters<typeof insertVerification>[1] } =
  {
    unverified: { method: 'skipped' },
    unrecorded: { method: 'objects' },
    unproven: {
      method: 'objects',
      isEmpty: 1,
      evidence: JSON.stringify({
        emptiness: { checkedBy: 'ListObjectsV2', pages: 0, isExhaustive: false },
        deniedActions: ['logs:FilterLogEvents'],
      }),
    },
  };

/**
 * Takes a slice of a job into the slot, as the dispatcher does. Its export is sent at this moment.
 * @throws Problem export-job-cancelled when it does not wait
 */
export async function startJob(database: Database, jobId: string): Promise<void> {
  await database.transaction(async (queries) => {
    await lockJob(queries, jobId);
    const slice = await readSlice(queries, jobId);
    if (slice.state !== 'waiting') throw new Problem('export-job-cancelled', 'It does not wait.');
    const attempt = slice.attempt + 1;
    await setState(queries, jobId, 'running', attempt);
    await queries
      .insertInto('attempts')
      .values({
        jobId,
        slice: 0,
        attempt,
        target: slice.target,
        marker: `${jobId} ${attempt}`,
        destinationPrefix: 'prefix',
        fence: 1,
        submittedAt: database.now(),
        taskId: `task of ${jobId} ${attempt}`,
      })
      .execute();
    const change = { type: 'slice-running', slice: 0, attempt, taskId: 'task' } as const;
    await recordChange(queries, database, jobId, change, testAuditContext);
  });
}

/** Ends a job that was started, with the acts of the dispatcher and the verifier on the database. */
export async function endStartedJob(database: Database, jobId: string, end: JobEnd): Promise<void> {
  await database.transaction(async (queries) => {
    await lockJob(queries, jobId);
    const slice = await readSlice(queries, jobId);
    const { attempt } = slice;
    const ids = { slice: 0, attempt };
    const isEndedOtherwise = end.outcome === 'failed' || end.outcome === 'cancelled';
    const state = isEndedOtherwise ? end.outcome : 'completed';
    const problem = end.outcome === 'failed' ? sliceProblem(end.problem, end.detail) : null;
    await setState(queries, jobId, state as SliceState, attempt, problem);
    await recordChange(
      queries,
      database,
      jobId,
      end.outcome === 'failed'
        ? { type: 'slice-failed', ...ids, problem: end.problem }
        : end.outcome === 'cancelled'
          ? { type: 'slice-cancelled', ...ids }
          : { type: 'slice-completed', ...ids, taskId: 'task' },
      testAuditContext,
    );
    if (end.outcome === 'failed' && refusals.includes(end.problem)) {
      await queries
        .updateTable('attempts')
        .set({ taskId: null, outcome: 'refused', problem: JSON.stringify(problem) })
        .where((row) => row.and({ jobId, attempt }))
        .execute();
    }
    const verified = verifications[end.outcome];
    if (verified)
      await insertVerification({ queries }, { jobId, attempt, endedAt: 1, ...verified });
    if (end.outcome !== 'covered') return;
    const job = await queries
      .selectFrom('jobs')
      .select(['target', 'destination', 'archiveId', 'incarnation', 'revision'])
      .where('id', '=', jobId)
      .executeTakeFirstOrThrow();
    const { submittedAt, destinationPrefix } = await queries
      .selectFrom('attempts')
      .select(['submittedAt', 'destinationPrefix'])
      .where((row) => row.and({ jobId, attempt }))
      .executeTakeFirstOrThrow();
    const { logGroupName, fromAt, toAt } = slice;
    await recordCoverage(
      queries,
      database,
      {
        jobId,
        ...ids,
        ...job,
        accountId: '123456789012',
        region: 'eu-west-1',
        logGroupName,
        fromAt,
        toAt,
        destinationPrefix,
        taskId: 'task',
        submittedAt,
        logStreamNamePrefix: null,
      },
      {
        method: 'objects',
        isEmpty: end.isEmpty ? 1 : 0,
        objects: 1,
        bytes: 1,
        events: null,
        manifestKey: null,
        manifestSha256: null,
      },
    );
  });
}

/** Starts a job and ends it at once. */
export async function endJob(database: Database, jobId: string, end: JobEnd): Promise<void> {
  await startJob(database, jobId);
  await endStartedJob(database, jobId, end);
}

const readSlice = (queries: Queries, jobId: string) =>
  queries.selectFrom('slices').selectAll().where('jobId', '=', jobId).executeTakeFirstOrThrow();

async function setState(
  queries: Queries,
  jobId: string,
  state: SliceState,
  attempt: number,
  problem: object | null = null,
): Promise<void> {
  await queries
    .updateTable('slices')
    .set({ state, attempt, problem: problem && JSON.stringify(problem) })
    .where('jobId', '=', jobId)
    .execute();
}
