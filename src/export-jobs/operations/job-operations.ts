import type { Authenticate } from '#auth/access.ts';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { statedLimits } from '#problems/limits.ts';
import type { Targets } from '#targets/target.ts';
import type { JobAccess } from '../access/job-access.ts';
import type { JobLookup } from '../access/job-lookup.ts';
import type { JobsOptions } from '../jobs-options.ts';
import { makeShowJob, type ShowJob, type ShowJobNow } from '../presenters/show-job.ts';
import { deletedMeanwhile } from '../store/deleted-job.ts';
import { isHead } from '../store/reads/read-heads.ts';
import { makeWaitingRequests, type WaitingRequests } from '../watching/waiting-requests.ts';
import { type JobChanges, makeJobChanges } from './change-job.ts';
import { type ListJobs, makeListJobs } from './list-jobs.ts';
import { type ListObjects, makeListObjects } from './list-objects-of-job.ts';
import { type ListSlices, makeListSlices } from './list-slices-of-job.ts';
import { makeReadSliceGrid, type ReadSliceGrid } from './read-slice-grid.ts';
import { makeReadTimeline, type ReadTimeline } from './read-timeline.ts';
import {
  makeOpenEventStream,
  maxStreamMs,
  type OpenEventStream,
  unreadMs,
} from './stream-events.ts';

/** What callers can do with jobs, each decided by the policies. The API and the pages use the same. */
export interface JobOperations {
  access: JobAccess;
  list: ListJobs;
  listSlices: ListSlices;
  listObjects: ListObjects;
  readGrid: ReadSliceGrid;
  readTimeline: ReadTimeline;
  show: ShowJob;
  showNow: ShowJobNow;
  changes: JobChanges;
  openStream: OpenEventStream;
  /** Announces a changed job to its watchers and to the dispatcher of its target. */
  announce: (jobId: string, target: string) => void;
  /** The long polls. */
  polls: WaitingRequests;
  /** Ends the event streams and long polls. */
  close(): Promise<void>;
}

/** What the operations need. */
export interface JobOperationsOptions extends JobsOptions, JobLookup {
  targets: Targets;
  authenticate: Authenticate;
  authorizer: Authorizer;
  /** The public path prefix of all links. */
  basePath: string;
  elapsed: () => number;
  random: () => number;
}

/** Makes the operations on jobs. They query nothing before the first request. */
export function makeJobOperations(options: JobOperationsOptions): JobOperations {
  const { jobCache, access, visibility, targets, authenticate, authorizer } = options;
  const { database, watch, queue, wake, elapsed, basePath, maxWaitingSlices = 0 } = options;
  const { sleepUntilAborted, random } = options;
  const { maxStreams = statedLimits.streamsPerProcess, maxWatchers = 0 } = options;
  const watchLimits = { perProcess: maxStreams, perCaller: maxWatchers };
  const streams = makeWaitingRequests('event streams', watchLimits, {
    ageMs: () => maxStreamMs * (1 - random() / 4),
    graceMs: unreadMs,
    sleep: sleepUntilAborted,
  });
  const polls = makeWaitingRequests('requests with wait', watchLimits);
  const { queries } = database;
  const show = makeShowJob({ jobCache, queue, targets, basePath });
  const announce = (jobId: string, target: string) => {
    watch.changed(jobId);
    wake(target);
  };
  return {
    access,
    list: makeListJobs({ database, access, jobCache, basePath }),
    listSlices: makeListSlices(database, basePath),
    listObjects: makeListObjects({ database, targets }),
    readGrid: makeReadSliceGrid(database, elapsed),
    readTimeline: makeReadTimeline({ database, authorizer, visibility, elapsed }),
    show,
    async showNow(jobId) {
      const head = await jobCache.find(jobId);
      if (!isHead(head)) throw deletedMeanwhile();
      return show(head);
    },
    changes: makeJobChanges({ authorizer, database, access, announce, maxWaitingSlices }),
    openStream: makeOpenEventStream({
      queries,
      access,
      authenticate,
      authorizer,
      watch,
      streams,
      elapsed,
    }),
    announce,
    polls,
    async close() {
      await Promise.all([streams.close(), polls.close()]);
    },
  };
}
