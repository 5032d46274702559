import type { FastifyPluginAsync } from 'fastify';
import type { Authenticate } from '#auth/access.ts';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { statedLimits } from '#problems/limits.ts';
import type { SlotStatusSource } from '#targets/slot/slot.ts';
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

/** The queue of export jobs, as the rest of the service uses it. */
export interface JobsOptions {
  database: Database;
  watch: JobWatch;
  queue: QueueView;
  slots: SlotStatusSource;
  /** Wakes the dispatcher of a target, whose queue has changed. */
  wake: (target: string) => void;
  /**
   * Whether a task name is reserved for the tasks of export jobs; false while the database is
   * unreachable.
   */
  isMarker: (taskName: string) => Promise<boolean>;
  /** How many event streams this process serves at once, and how many long polls. Default: 1,000. */
  maxStreams?: number | undefined;
  /** How many event streams one caller may have open, and how many long polls. Default: 0, no limit. */
  maxWatchers?: number | undefined;
  /** How many slices of one caller may wait. Default: 0, no limit. */
  maxWaitingSlices?: number | undefined;
}

/** What the operations on export jobs need. */
export interface ExportJobsOptions extends JobsOptions {
  jobCache: JobCache;
  access: JobAccess;
  targets: Targets;
  authenticate: Authenticate;
  authorizer: Authorizer;
  /** The public path prefix of all links. */
  basePath: string;
  newId: () => string;
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
}

/** Registers the operations on export jobs. It queries nothing before the first request. */
export const exportJobsPlugin: FastifyPluginAsync<ExportJobsOptions> = async (app, options) => {
  const { jobCache, access, targets, authenticate, authorizer, database, watch, queue } = options;
  const { wake, newId, elapsed, sleep, basePath, maxWaitingSlices = 0 } = options;
  const { maxStreams = statedLimits.streamsPerProcess, maxWatchers = 0 } = options;
  const watchLimits = { perProcess: maxStreams, perCaller: maxWatchers };
  const show = makeShowJob({ jobCache, queue, targets, basePath });
  const showNow: ShowJobNow = async (jobId) => show((await jobCache.readHead(jobId)) as JobHead);
  const announce = (jobId: string, target: string) => {
    watch.changed(jobId);
    wake(target);
  };
  const streams = makeWaitingRequests('event streams', watchLimits);
  const polls = makeWaitingRequests('requests with wait', watchLimits);
  // Before the server closes: Node counts a connection whose last bytes are not sent yet as idle, and
  // cuts it.
  app.addHook('preClose', async () => {
    await Promise.all([streams.close(), polls.close()]);
  });

  await app.register(createExportJob, {
    targets,
    authorizer,
    database,
    access,
    queue,
    show,
    showNow,
    announce,
    newId,
    elapsed,
    sleep,
    maxWaitingSlices,
  });
  await app.register(listExportJobs, { database, access, jobCache });
  await app.register(getExportJob, { access, show, authenticate, watch, polls });
  await app.register(watchEvents, {
    queries: database.queries,
    access,
    authenticate,
    authorizer,
    watch,
    streams,
    elapsed,
  });
  await app.register(listSlices, { database, access });
  await app.register(cancelExportJob, { database, access, showNow, announce });
  await app.register(retryExportJob, {
    authorizer,
    database,
    access,
    showNow,
    announce,
    maxWaitingSlices,
  });
};
