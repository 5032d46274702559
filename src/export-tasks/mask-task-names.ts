import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { AwsExportTask } from '#aws/export-task.ts';
import type { JobVisibility } from '#targets/job-visibility.ts';
import { jobOfMarker } from '#targets/marker.ts';

/** Tasks as somebody may see them, who may see them. */
export type MaskTaskNames = (
  request: CallerRequest,
  tasks: readonly AwsExportTask[],
) => Promise<AwsExportTask[]>;

/**
 * Makes `MaskTaskNames`. The taskName of a task of an export job names the job; it is left out where the
 * request may not read that job.
 */
export function makeMaskTaskNames(visibility: JobVisibility | undefined): MaskTaskNames {
  return async (request, tasks) => {
    const jobIds = tasks.flatMap(({ taskName }) => jobOfMarker(taskName) ?? []);
    if (!visibility || jobIds.length === 0) return [...tasks];
    // While the database is away nothing is known of jobs, so none is named.
    const hidden = await visibility.findHiddenJobs(request, jobIds).catch(() => new Set(jobIds));
    return tasks.map((task) => {
      const { taskName, ...unnamed } = task;
      return hidden.has(jobOfMarker(taskName) ?? '') ? unnamed : task;
    });
  };
}
