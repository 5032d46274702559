import type { Asker } from '#auth/authorization/authorizer.ts';
import type { ExportTask } from '#aws/export-task.ts';
import type { JobSight } from '#targets/job-visibility.ts';
import { jobOfMarker } from '#targets/marker.ts';

/** Tasks as somebody may see them, who may see them. */
export type MaskTasks = (asker: Asker, tasks: readonly ExportTask[]) => Promise<ExportTask[]>;

/**
 * Makes `MaskTasks`. The taskName of a task of an export job names the job; it is left out where the
 * asker may not read that job.
 */
export function makeMaskTasks(sight: JobSight | undefined): MaskTasks {
  return async (asker, tasks) => {
    const jobIds = tasks.flatMap(({ taskName }) => jobOfMarker(taskName) ?? []);
    if (!sight || jobIds.length === 0) return [...tasks];
    // While the database is away nothing is known of jobs, so none is named.
    const hidden = await sight.hiddenOf(asker, jobIds).catch(() => new Set(jobIds));
    return tasks.map((task) => {
      const { taskName, ...unnamed } = task;
      return hidden.has(jobOfMarker(taskName) ?? '') ? unnamed : task;
    });
  };
}
