import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { FoundJob, JobAccess } from '#export-jobs/access/job-access.ts';
import { findJobOfAwsTask, readTasks, type Task } from '#export-jobs/store/tasks/read-tasks.ts';
import { Problem } from '#problems/problem.ts';

/** A task that a request is permitted for. */
export interface FoundTask extends FoundJob {
  task: Task;
}

/** A task of a caller at a target. */
export interface WantedTask {
  action: 'ReadExportJob' | 'CancelExportJob';
  target: string;
  /** Its id, or that of its task at AWS. */
  taskId: string;
}

// Control characters are in no id, and PostgreSQL accepts no NUL.
const idForm = /^[\x20-\x7e]{1,512}$/;

/**
 * Finds a task for an action. One that the caller may not see looks like one that does not exist.
 * @throws Problem export-job-not-found, export-job-deleted
 */
export async function findTask(
  { database, access }: { database: Database; access: JobAccess },
  request: CallerRequest,
  { action, target, taskId }: WantedTask,
): Promise<FoundTask> {
  const { queries } = database;
  if (!idForm.test(taskId)) throw notFound();
  const jobId = (await findJobOfAwsTask(queries, target, taskId)) ?? taskId;
  const found = await access.find(request, action, jobId);
  const task = (await readTasks(database, queries, [jobId])).get(jobId);
  if (!task || found.head.target !== target) throw notFound();
  return { ...found, task };
}

const notFound = () => new Problem('export-job-not-found', 'No task that you may see has this id.');
