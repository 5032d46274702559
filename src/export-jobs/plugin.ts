import type { FastifyPluginAsync } from 'fastify';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { SlotBook } from '#targets/slot.ts';
import type { Targets } from '#targets/target.ts';
import { readHeads, readJobs } from './job-store/reads.ts';
import { cancelExportJob } from './routes/cancel-export-job.ts';
import { createExportJob } from './routes/create-export-job.ts';
import { getExportJob } from './routes/get-export-job.ts';
import { listExportJobs } from './routes/list-export-jobs.ts';
import { listSlices } from './routes/list-slices.ts';
import { retryExportJob } from './routes/retry-export-job.ts';
import { watchEvents } from './routes/watch-events.ts';
import { makeJobReadings } from './views/job-readings.ts';
import { makeShowJob } from './views/job-view.ts';
import type { JobWatch } from './views/job-watch.ts';
import type { LineView } from './views/line-view.ts';

/** What the jobs' side of the service is made of. */
export interface JobsOptions {
  database: Database;
  watch: JobWatch;
  line: LineView;
  slots: SlotBook;
  /** Says that there may be work at a target. */
  wake: (target: string) => void;
  /** How many event streams this process serves at once; 1,000 when left out. */
  mostStreams?: number | undefined;
}

/** What the operations on export jobs need. */
export interface ExportJobsOptions extends JobsOptions {
  targets: Targets;
  authorizer: Authorizer;
  newId: () => string;
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
}

/** Registers the operations on export jobs. Nothing is asked of the database before a request is. */
export const exportJobsPlugin: FastifyPluginAsync<ExportJobsOptions> = async (app, options) => {
  const { targets, database, watch, line, wake, newId, elapsed, sleep, mostStreams } = options;
  const readings = makeJobReadings({
    readHeads: (jobIds) => readHeads(database, jobIds),
    readJobs: (jobIds) => readJobs(database, jobIds),
  });
  const show = makeShowJob(readings, line);
  const announce = (jobId: string, target: string) => {
    watch.changed(jobId);
    wake(target);
  };
  // Closing waits for every request under way; those that wait for news would take half a minute.
  app.addHook('preClose', async () => watch[Symbol.dispose]());

  await app.register(createExportJob, { targets, database, line, show, announce, newId, sleep });
  await app.register(listExportJobs, { database, readings });
  await app.register(getExportJob, { show, watch });
  await app.register(watchEvents, { queries: database.queries, watch, elapsed, mostStreams });
  await app.register(listSlices, { database, readings });
  await app.register(cancelExportJob, { database, show, announce });
  await app.register(retryExportJob, { database, show, announce });
};
