import { type SqlBool, sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import type { AgeCursor, ListPart } from '#paging/page.ts';
import type { SliceProblem } from '../../export-job.ts';
import type { SliceState } from '../../slice.ts';
import { readTaskParameters, type TaskParameters } from '../../task-parameters.ts';
import { findHeads, type JobHead, type JobQuery } from '../reads/read-heads.ts';

/** The states of a task as its client sees them, in the words of AWS. */
export type TaskStatus =
  | 'PENDING'
  | 'RUNNING'
  | 'PENDING_CANCEL'
  | 'COMPLETED'
  | 'FAILED'
  | 'CANCELLED';

// AWS shows a new task as PENDING at first. Shorter: a client that describes its task at once sees one that runs already.
// Longer: a task that runs is shown as one that waits.
const pendingMs = 1_000;

/** The state of a task, of the rows of its job, its slice and the latest attempt. */
const statusOf = ({ now }: Pick<Database, 'now'>) => sql<TaskStatus>`case
  when slices.state = 'completed' then 'COMPLETED'
  when slices.state = 'cancelled' then 'CANCELLED'
  when slices.state in ('failed', 'split') then 'FAILED'
  when cancel_requested_at is not null then 'PENDING_CANCEL'
  when slices.state in ('waiting', 'starting') then 'PENDING'
  when slices.state = 'running' and submitted_at > ${now()} - ${sql.lit(pendingMs)} then 'PENDING'
  else 'RUNNING' end`;

// A literal, so that the partial index fits.
const whereTask = sql<SqlBool>`task_parameters is not null`;

/** Adds to jobs of AWS clients their one slice and its latest attempt. */
const withSlice = (tasks: JobQuery) =>
  tasks
    .innerJoin('slices', (join) =>
      join.onRef('slices.jobId', '=', 'jobs.id').on('slices.number', '=', 0),
    )
    .leftJoin('attempts', (join) =>
      join
        .onRef('attempts.jobId', '=', 'jobs.id')
        .on('attempts.slice', '=', 0)
        .onRef('attempts.attempt', '=', 'slices.attempt'),
    );

/** The job of a CreateExportTask that a client of AWS has sent, with its one slice and the latest attempt of it. */
export interface Task {
  jobId: string;
  version: number;
  parameters: TaskParameters;
  /** The prefix that it was accepted with. */
  destinationPrefix: string;
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
  after?: AgeCursor | undefined;
  limit: number;
}

/** Reads the heads of a part of the list of tasks. */
export function readTaskHeads(
  database: Database,
  { target, caller, status, after, limit }: TaskFilter,
): Promise<ListPart<JobHead>> {
  const tasks = database.queries
    .selectFrom('jobs')
    .where(whereTask)
    .where('jobs.caller', '=', caller)
    .where('jobs.target', '=', target);
  return findHeads(database, { listed: tasks, after, limit }, (part) =>
    status === undefined ? part : withSlice(part).where(statusOf(database), '=', status),
  );
}

/** Reads tasks by the ids of their jobs. What is no task is left out. */
export async function readTasks(
  database: Pick<Database, 'now'>,
  queries: Queries,
  jobIds: readonly string[],
): Promise<Map<string, Task>> {
  if (jobIds.length === 0) return new Map();
  const rows = await withSlice(queries.selectFrom('jobs').where(whereTask))
    .select(['jobs.id as jobId', 'version', 'taskParameters', 'acceptedAt', 'jobs.endedAt'])
    .select('jobs.destinationPrefix')
    .select(['slices.state', 'slices.attempt', 'slices.problem'])
    .select(['attempts.taskId as awsTaskId', 'attempts.awsError'])
    .select(statusOf(database).as('status'))
    .where('jobs.id', 'in', jobIds)
    .$narrowType<{ taskParameters: string; state: SliceState }>()
    .execute();
  const tasks = rows.map(
    ({ taskParameters, awsError, problem, ...row }): Task => ({
      ...row,
      parameters: readTaskParameters(taskParameters),
      awsError: awsError === null ? undefined : JSON.parse(awsError),
      problem: problem === null ? undefined : JSON.parse(problem),
    }),
  );
  return new Map(tasks.map((task) => [task.jobId, task]));
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
