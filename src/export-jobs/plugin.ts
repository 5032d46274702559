import type { FastifyPluginAsync } from 'fastify';
import type { Authenticate } from '#auth/access.ts';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { statedLimits } from '#problems/limits.ts';
import type { SlotStatusSource } from '#targets/slot.ts';
import type { Targets } from '#targets/target.ts';
import type { JobAccess } from './access/job-access.ts';
import { makeShowJob, type ShowJobNow } from './presenters/show-job.ts';
import type { QueueView } from './queue/position.ts';
import { cancelExportJob } from './routes/cancel-export-job.ts';
import { createExportJob } from './routes/create-export-job.ts';
import { getExportJob } from './routes/get-export-job.ts';
import { listExportJobs } from './routes/list-export-jobs.ts';
import { listSlices } from './routes/list-slices.ts';
import { retryExportJob } from './routes/retry-export-job.ts';
import { watchEvents } from './routes/watch-events.ts';
import type { JobCache } from './store/reads/job-cache.ts';
import type { JobHead } from './store/reads/read-heads.ts';
import type { JobWatch } from './watching/job-watch.ts';
import { makeWaitingRequests } from './watching/waiting-requests.ts';

/** What the jobs' side of the service is made of. */
export interface JobsOptions {
  database: Database;
  watch: JobWatch;
  queue: QueueView;
  slots: SlotStatusSource;
  /** Says that there may be work at a target. */
  wake: (target: string) => void;
  /** Whether a task name is kept for the export tasks of these jobs; false while the database is away. */
  isMarker: (taskName: string) => Promise<boolean>;
  /** How many event streams this process serves at once, and how many long polls; 1,000 when left out. */
  maxStreams?: number | undefined;
  /** How many event streams one caller may have open, and how many long polls; any number when left out or 0. */
  maxWatchers?: number | undefined;
  /** How many slices of one caller may wait; any number when left out or 0. */
  maxWaitingSlices?: number | undefined;
}

/** What the operations on export jobs need. */
export interface ExportJobsOptions extends JobsOptions {
  jobs: JobCache;
  access: JobAccess;
  targets: Targets;
  authenticate: Authenticate;
  authorizer: Authorizer;
  /** What callers put before every path. */
  basePath: string;
  newId: () => string;
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
}

/** Registers the operations on export jobs. Nothing is asked of the database before a request is. */
export const exportJobsPlugin: FastifyPluginAsync<ExportJobsOptions> = async (app, options) => {
  const { jobs, access, targets, authenticate, authorizer, database, watch, queue } = options;
  const { wake, newId, elapsed, sleep, basePath, maxWaitingSlices = 0 } = options;
  const { maxStreams = statedLimits.streamsPerProcess, maxWatchers = 0 } = options;
  const watchLimits = { perProcess: maxStreams, perCaller: maxWatchers };
  const show = makeShowJob(jobs, queue, basePath);
  const showNow: ShowJobNow = async (jobId) => show((await jobs.readHead(jobId)) as JobHead);
  const announce = (jobId: string, target: string) => {
    watch.changed(jobId);
    wake(target);
  };
  const streams = makeWaitingRequests('event streams', watchLimits);
  const polls = makeWaitingRequests('requests with wait', watchLimits);
  // First of all, and whole: a connection on which everything is said, but not sent, is idle to Node, and cut.
  app.addHook('preClose', async () => {
    await Promise.all([streams.close(), polls.close()]);
  });

  await app.register(createExportJob, {
    ...{ targets, authorizer, database, access, queue, show, showNow, announce },
    ...{ newId, sleep, maxWaitingSlices },
  });
  await app.register(listExportJobs, { database, access, jobs });
  await app.register(getExportJob, { access, show, authenticate, watch, polls });
  await app.register(watchEvents, {
    ...{ queries: database.queries, access, authenticate, authorizer, watch, streams, elapsed },
  });
  await app.register(listSlices, { database, access });
  await app.register(cancelExportJob, { database, access, showNow, announce });
  await app.register(retryExportJob, {
    ...{ authorizer, database, access, showNow, announce, maxWaitingSlices },
  });
};
