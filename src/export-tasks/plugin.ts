import type { FastifyPluginAsync } from 'fastify';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { JobVisibility } from '#targets/slot/job-visibility.ts';
import type { Targets } from '#targets/target.ts';
import { makeCreateOnce } from './creating/create-once.ts';
import type { OutcomeLookUpOptions } from './creating/outcome-look-up.ts';
import { makeMaskTaskNames } from './mask-task-names.ts';
import { cancelExportTask } from './routes/cancel-export-task.ts';
import { createExportTask } from './routes/create-export-task.ts';
import { describeExportTasks } from './routes/describe-export-tasks.ts';
import { getExportTask } from './routes/get-export-task.ts';

/** Options of the mirror: targets, authorization, and the clocks of the look-up. */
export interface ExportTasksOptions extends OutcomeLookUpOptions {
  targets: Targets;
  authorizer: Authorizer;
  /** What callers may see of export jobs; absent when jobs are off. */
  visibility: JobVisibility | undefined;
  /** Whether a task name is reserved for export jobs; absent when jobs are off. */
  isReserved: ((taskName: string) => Promise<boolean>) | undefined;
}

/** Registers the mirror of the three operations of AWS on export tasks. */
export const exportTasksPlugin: FastifyPluginAsync<ExportTasksOptions> = async (app, options) => {
  const { targets, authorizer, visibility, isReserved } = options;
  const maskTaskNames = makeMaskTaskNames(visibility);
  await createExportTask(app, {
    targets,
    authorizer,
    maskTaskNames,
    isReserved,
    createOnce: makeCreateOnce(options),
  });
  await describeExportTasks(app, { targets, authorizer, maskTaskNames });
  await getExportTask(app, { targets, authorizer, maskTaskNames });
  await cancelExportTask(app, { targets, authorizer, maskTaskNames });
};
