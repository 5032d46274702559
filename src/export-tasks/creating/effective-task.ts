import type { CreateExportTask } from '#aws/export-task.ts';

/** Where AWS exports to when a create names no prefix (API reference of CreateExportTask). */
const defaultPrefix = 'exportedlogs';

/** A create with everything it depends on written out. */
export type EffectiveTask = CreateExportTask & { destinationPrefix: string };

/**
 * The create that is decided on, sent and looked for: one value for all three. Whatever AWS makes of
 * an empty prefix (nobody has recorded it), it is never sent: it is taken as none.
 */
export function toEffectiveTask(task: CreateExportTask): EffectiveTask {
  return { ...task, destinationPrefix: task.destinationPrefix || defaultPrefix };
}
