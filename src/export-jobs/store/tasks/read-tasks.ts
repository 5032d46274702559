import { type SqlBool, sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import type { SliceProblem } from '../../export-job.ts';
import { begunStates, type SliceState } from '../../slice.ts';
import { readTaskParameters, type TaskParameters } from '../../task-parameters.ts';
import { type JobHead, readHeads } from '../reads/read-heads.ts';

/** The states of a task as its client sees them, in the words of AWS. */
export type TaskStatus = keyof typeof statesOfStatus;

/** The slice of a task in each state of the task, and whether its cancel was requested. */
const statesOfStatus = {
  PENDING: { states: ['waiting', 'starting'], isCancelRequested: false },
  RUNNING: { states: ['running', 'cancelling', 'verifying'], isCancelRequested: false },
  PENDING_CANCEL: { states: ['waiting', ...begunStates], isCancelRequested: true },
  COMPLETED: { states: ['completed'], isCancelRequested: undefined },
  FAILED: { states: ['failed', 'split'], isCancelRequested: undefined },
  CANCELLED: { states: ['cancelled'], isCancelRequested: undefined },
} as const satisfies Record<
  string,
  { states: readonly SliceState[]; isCancelRequested: boolean | undefined }
>;

/** The job of a CreateExportTask that a client of AWS has sent, with its one slice and the latest attempt of it. */
export interface Task {
  jobId: string;
  version: number;
  parameters: TaskParameters;
  status: TaskStatus;
  state: SliceState;
  acceptedAt: number;
  endedAt: number | null;
  /** The number of the latest attempt; 0 before the first. */
  attempt: number;
  /** The id of the task at AWS. */
  awsTaskId: string | null;
  /** What AWS said when it refused the task, or when the task failed. */
  awsError: { code: string; message: string } | undefined;
  problem: SliceProblem | undefined;
}

/** Which tasks to list: those of a caller at a target, the newest first. */
export interface TaskFilter {
  target: string;
  caller: string;
  status?: TaskStatus | undefined;
  after?: { acceptedAt: number; id: string } | undefined;
  limit: number;
}

/** Reads the heads of a page of tasks. */
export async function readTaskHeads(
  database: Database,
  { target, caller, status, after, limit }: TaskFilter,
): Promise<JobHead[]> {
  let query = database.queries
    .selectFrom('jobs')
    .select('id')
    .where('caller', '=', caller)
    .where('target', '=', target)
    .where(sql<SqlBool>`task_parameters is not null`); // a literal, so that the partial index fits
  if (status !== undefined) query = query.where(whereStatus(status));
  if (after !== undefined) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('acceptedAt', 'id'), '<', tuple(after.acceptedAt, after.id)),
    );
  }
  query = query.orderBy('acceptedAt', 'desc').orderBy('id', 'desc').limit(limit);
  const ids = (await query.execute()).map(({ id }) => id);
  const heads = await readHeads(database, ids);
  return ids.flatMap((id) => heads.get(id) ?? []);
}

/** Whether a row of `jobs` is of a task in this state. */
function whereStatus(status: TaskStatus) {
  const { states, isCancelRequested } = statesOfStatus[status];
  const slice = sql<SqlBool>`exists (select 1 from slices where job_id = jobs.id and state in (${sql.join(states)}))`;
  if (isCancelRequested === undefined) return slice;
  return isCancelRequested
    ? sql<SqlBool>`${slice} and cancel_requested_at is not null`
    : sql<SqlBool>`${slice} and cancel_requested_at is null`;
}

/** Reads tasks by the ids of their jobs. What is no task is left out. */
export async function readTasks(
  queries: Queries,
  jobIds: readonly string[],
): Promise<Map<string, Task>> {
  if (jobIds.length === 0) return new Map();
  const rows = await queries
    .selectFrom('jobs')
    .innerJoin('slices', (join) =>
      join.onRef('slices.jobId', '=', 'jobs.id').on('slices.number', '=', 0),
    )
    .leftJoin('attempts', (join) =>
      join
        .onRef('attempts.jobId', '=', 'jobs.id')
        .on('attempts.slice', '=', 0)
        .onRef('attempts.attempt', '=', 'slices.attempt'),
    )
    .select(['jobs.id as jobId', 'version', 'taskParameters', 'acceptedAt', 'jobs.endedAt'])
    .select(['cancelRequestedAt', 'slices.state', 'slices.attempt', 'slices.problem'])
    .select(['attempts.taskId as awsTaskId', 'attempts.awsError'])
    .where('jobs.id', 'in', jobIds)
    .where('taskParameters', 'is not', null)
    .$narrowType<{ taskParameters: string; state: SliceState }>()
    .execute();
  const tasks = rows.map(
    ({ taskParameters, cancelRequestedAt, awsError, problem, ...row }): Task => ({
      ...row,
      parameters: readTaskParameters(taskParameters),
      status: statusOf(row.state, cancelRequestedAt !== null),
      awsError: awsError === null ? undefined : JSON.parse(awsError),
      problem: problem === null ? undefined : JSON.parse(problem),
    }),
  );
  return new Map(tasks.map((task) => [task.jobId, task]));
}

function statusOf(state: SliceState, isCancelRequested: boolean): TaskStatus {
  const [status = 'PENDING'] = Object.entries(statesOfStatus).flatMap(([name, of]) => {
    const isOfCancel = of.isCancelRequested ?? isCancelRequested;
    const isFound = (of.states as readonly SliceState[]).includes(state);
    return isFound && isOfCancel === isCancelRequested ? [name as TaskStatus] : [];
  });
  return status;
}

/** Finds the job of the task with this id at AWS; `undefined` if no task of a client of AWS has it. */
export async function findJobOfAwsTask(
  queries: Queries,
  target: string,
  awsTaskId: string,
): Promise<string | undefined> {
  const found = await queries
    .selectFrom('attempts')
    .innerJoin('jobs', 'jobs.id', 'attempts.jobId')
    .select('jobId')
    .where('taskId', '=', awsTaskId)
    .where('attempts.target', '=', target)
    .where('taskParameters', 'is not', null)
    .executeTakeFirst();
  return found?.jobId;
}
