import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { JobAccess } from '#export-jobs/access/job-access.ts';
import { cancelJob } from '#export-jobs/store/requests/cancel-job.ts';
import { Problem } from '#problems/problem.ts';
import { findTask } from './find-task.ts';

/**
 * Requests the cancel of a task at a target. A task in the queue is cancelled at once.
 * @throws Problem export-job-not-found, export-job-deleted, export-task-already-finished
 */
export type CancelTask = (request: CallerRequest, target: string, taskId: string) => Promise<void>;

/** Makes `CancelTask`. */
export function makeCancelTask(options: {
  database: Database;
  access: JobAccess;
  /** Announces a changed job to its watchers and to the dispatcher of its target. */
  announce: (jobId: string, target: string) => void;
}): CancelTask {
  const { database, announce } = options;
  return async (request, target, taskId) => {
    const wanted = { action: 'CancelExportJob', target, taskId } as const;
    const { task, policies } = await findTask(options, request, wanted);
    if (task.status !== 'PENDING' && task.status !== 'RUNNING') {
      throw new Problem('export-task-already-finished', `The task is ${task.status}.`);
    }
    await cancelJob(database, task.jobId, { request, policies });
    announce(task.jobId, target);
  };
}
