import type { FastifyPluginAsync } from 'fastify';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { JobVisibility } from '#targets/job-visibility.ts';
import type { Targets } from '#targets/target.ts';
import { makeCreateOnce } from './creating/create-once.ts';
import type { LookUpOptions } from './creating/look-up.ts';
import { makeMaskTasks } from './masked-tasks.ts';
import { cancelExportTask } from './routes/cancel-export-task.ts';
import { createExportTask } from './routes/create-export-task.ts';
import { describeExportTasks } from './routes/describe-export-tasks.ts';
import { getExportTask } from './routes/get-export-task.ts';

/** What the mirror needs: where exports run, and the clocks of the create protocol. */
export interface ExportTasksOptions extends LookUpOptions {
  targets: Targets;
  authorizer: Authorizer;
  /** What may be told of export jobs; absent where there are none. */
  visibility: JobVisibility | undefined;
  /** Whether a task name is kept for the export tasks of jobs; absent where there are none. */
  isReserved: ((taskName: string) => Promise<boolean>) | undefined;
}

/** Registers the mirror of AWS's three operations on export tasks. */
export const exportTasksPlugin: FastifyPluginAsync<ExportTasksOptions> = async (app, options) => {
  const { targets, authorizer, visibility, isReserved } = options;
  const maskTasks = makeMaskTasks(visibility);
  await app.register(createExportTask, {
    targets,
    authorizer,
    maskTasks,
    isReserved,
    createOnce: makeCreateOnce(options),
  });
  await app.register(describeExportTasks, { targets, authorizer, maskTasks });
  await app.register(getExportTask, { targets, authorizer, maskTasks });
  await app.register(cancelExportTask, { targets, authorizer, maskTasks });
};
