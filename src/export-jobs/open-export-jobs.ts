import type { Database } from '#database/database.ts';
import {
  type Dispatcher,
  type DispatcherOptions,
  openDispatcher,
} from './dispatcher/dispatcher.ts';
import type { JobsOptions } from './plugin.ts';
import { makeLineView } from './queue/queue-position.ts';
import { makeSlotBook } from './queue/slot-status.ts';
import { makeInstallationReader, makeIsMarker } from './store/orphaned-tasks.ts';
import { readVersions } from './store/reads/read-events.ts';
import { makeJobWatch } from './watching/job-watch.ts';

/** The line at work, and what the operations on it need. */
export interface ExportJobs extends JobsOptions {
  /** Starts nothing more and gives the slots back; what is accepted waits in the database. */
  close: Dispatcher['close'];
}

/** Opens the line in a database that is there already: its dispatcher begins as targets are checked. */
export function openExportJobs(
  database: Database,
  options: Omit<DispatcherOptions, 'database' | 'onChange'> &
    Pick<JobsOptions, 'mostWaitingSlices' | 'mostWatchers'>,
): ExportJobs {
  const { elapsed, sleep, log, mostWaitingSlices, mostWatchers } = options;
  const watch = makeJobWatch({
    readVersions: (jobIds) => readVersions(database.queries, jobIds),
    sleep,
    log,
  });
  const line = makeLineView(database, elapsed);
  const slots = makeSlotBook(database, line, elapsed);
  const isMarker = makeIsMarker(makeInstallationReader(database));
  const dispatcher = openDispatcher({ ...options, database, onChange: watch.changed });
  const { wake, close } = dispatcher;
  const limits = { mostWaitingSlices, mostWatchers };
  return { database, watch, line, slots, wake, isMarker, ...limits, close };
}
