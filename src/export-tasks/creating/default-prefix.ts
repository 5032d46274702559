import { effectivePrefix } from '#aws/destination-prefix.ts';
import type { CreateExportTaskInput } from '#aws/export-task.ts';

/** A create with its defaults filled in. Authorization, request and look-up use the same values. */
export type EffectiveTask = CreateExportTaskInput & { destinationPrefix: string };

/** Fills in the default of AWS for the prefix. */
export function toEffectiveTask(task: CreateExportTaskInput): EffectiveTask {
  return { ...task, destinationPrefix: effectivePrefix(task.destinationPrefix) };
}
