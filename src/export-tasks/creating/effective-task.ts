import { type CreateExportTaskInput, effectivePrefix } from '#aws/export-task.ts';

/** A create with everything it depends on written out: it is decided on, sent and looked for as it is. */
export type EffectiveTask = CreateExportTaskInput & { destinationPrefix: string };

/** Writes out what AWS would take for what a create leaves out. */
export function toEffectiveTask(task: CreateExportTaskInput): EffectiveTask {
  return { ...task, destinationPrefix: effectivePrefix(task.destinationPrefix) };
}
