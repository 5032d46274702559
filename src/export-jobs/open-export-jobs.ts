import type { Database } from '#database/database.ts';
import { type Dispatcher, openDispatcher } from './dispatcher/dispatcher.ts';
import type { DispatcherOptions } from './dispatcher/replica/dispatcher-options.ts';
import type { JobsOptions } from './jobs-options.ts';
import { makeQueueView } from './queue/position.ts';
import { makeSlotStatusSource } from './queue/slot/slot-status.ts';
import { makeInstallationReader, makeIsMarker } from './store/installation.ts';
import { readVersions } from './store/reads/read-progress.ts';
import { makeJobWatch } from './watching/job-watch.ts';

/** The running queue, and what the operations on it need. */
export interface ExportJobs extends JobsOptions {
  /** Starts nothing more and releases the slots. Accepted jobs wait in the database. */
  close: Dispatcher['close'];
}

/** Opens the queue of an open database, and its dispatcher. */
export function openExportJobs(
  database: Database,
  options: Omit<DispatcherOptions, 'database' | 'onChange'> &
    Pick<JobsOptions, 'maxWaitingSlices' | 'maxWatchers'>,
): ExportJobs {
  const { elapsed, sleep, log, maxWaitingSlices, maxWatchers } = options;
  const watch = makeJobWatch({
    readVersions: (jobIds) => readVersions(database.queries, jobIds),
    sleep,
    log,
  });
  const queue = makeQueueView(database, elapsed);
  const slots = makeSlotStatusSource(database, queue, elapsed);
  const isMarker = makeIsMarker(makeInstallationReader(database));
  const dispatcher = openDispatcher({ ...options, database, onChange: watch.changed });
  const { wake, close } = dispatcher;
  const limits = { maxWaitingSlices, maxWatchers };
  return { database, watch, queue, slots, wake, isMarker, ...limits, close };
}
