import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { AwsExportTask } from '#aws/export-task.ts';
import { jobOfMarker } from '#targets/marker.ts';
import type { JobVisibility } from '#targets/slot/job-visibility.ts';

/** Removes the task names that a caller may not see. */
export type MaskTaskNames = (
  request: CallerRequest,
  tasks: readonly AwsExportTask[],
) => Promise<AwsExportTask[]>;

/**
 * Makes `MaskTaskNames`. The taskName of a task of an export job contains the job id. It is removed if
 * the caller may not read the job.
 */
export function makeMaskTaskNames(visibility: JobVisibility | undefined): MaskTaskNames {
  return async (request, tasks) => {
    const jobIds = tasks.flatMap(({ taskName }) => jobOfMarker(taskName) ?? []);
    if (!visibility || jobIds.length === 0) return [...tasks];
    // If the database is unavailable, all of them are hidden.
    const hidden = await visibility.findHiddenJobs(request, jobIds).catch(() => new Set(jobIds));
    return tasks.map((task) => {
      const { taskName, ...unnamed } = task;
      return hidden.has(jobOfMarker(taskName) ?? '') ? unnamed : task;
    });
  };
}
