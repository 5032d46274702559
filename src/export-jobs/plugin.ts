import type { FastifyPluginAsync } from 'fastify';

import type { Authenticate } from '#auth/access.ts';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { RunPreflight } from '#targets/preflight/preflight.ts';
import type { Targets } from '#targets/target.ts';
import type { JobsOptions } from './jobs-options.ts';
import type { JobOperations } from './operations/job-operations.ts';
import { cancelExportJob } from './routes/cancel-export-job.ts';
import { createExportJob } from './routes/create-export-job.ts';
import { getExportJob } from './routes/get-export-job.ts';
import { listExportJobs } from './routes/list-export-jobs.ts';
import { listObjects } from './routes/list-objects.ts';
import { listSlices } from './routes/list-slices.ts';
import { retryExportJob } from './routes/retry-export-job.ts';
import { watchEvents } from './routes/watch-events.ts';

/** What the routes of export jobs need. */
export interface ExportJobsOptions
  extends Pick<JobsOptions, 'database' | 'watch' | 'queue' | 'maxWaitingSlices' | 'verification'> {
  operations: JobOperations;
  targets: Targets;
  authenticate: Authenticate;
  authorizer: Authorizer;
  /** Checks the plan of a dry run. */
  preflight: RunPreflight;
  newId: () => string;
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
}

/** Registers the operations on export jobs. It queries nothing before the first request. */
export const exportJobsPlugin: FastifyPluginAsync<ExportJobsOptions> = async (app, options) => {
  const { operations, targets, authenticate, authorizer, database, watch, queue } = options;
  const { preflight, newId, elapsed, sleep } = options;
  const { maxWaitingSlices = 0, verification = 'objects' } = options;
  const { access, show, showNow, announce, changes, polls } = operations;
  // Before the server closes: Node counts a connection whose last bytes are not sent yet as idle, and
  // cuts it.
  app.addHook('preClose', operations.close);

  await createExportJob(app, {
    targets,
    authorizer,
    database,
    access,
    queue,
    preflight,
    show,
    showNow,
    announce,
    newId,
    elapsed,
    sleep,
    maxWaitingSlices,
    verification,
  });
  await listExportJobs(app, { list: operations.list });
  await getExportJob(app, { access, show, authenticate, watch, polls });
  await watchEvents(app, { openStream: operations.openStream });
  await listSlices(app, { access, list: operations.listSlices });
  await listObjects(app, { access, list: operations.listObjects });
  await cancelExportJob(app, { changes, showNow });
  await retryExportJob(app, { changes, showNow });
};
