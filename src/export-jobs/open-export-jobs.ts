import type { Database } from '#database/database.ts';
import { openDispatcher } from './dispatcher/dispatcher.ts';
import type { DispatcherOptions } from './dispatcher/replica/dispatcher-options.ts';
import type { JobsOptions } from './jobs-options.ts';
import { makeQueueView } from './queue/position.ts';
import { makeSlotStatusSource } from './queue/slot/slot-status.ts';
import { openRetention } from './retention/open-retention.ts';
import type { KeepTimes } from './retention/purge.ts';
import { makeInstallationReader, makeIsMarker } from './store/installation.ts';
import { readVersions } from './store/reads/read-progress.ts';
import { makeChangeWatch } from './watching/change-watch.ts';

/** The running queue, and what the operations on it need. */
export interface ExportJobs extends JobsOptions {
  /** Starts nothing more and releases the slots. Accepted jobs wait in the database. */
  close(): Promise<void>;
}

/** Opens the queue of an open database, and its dispatcher. */
export function openExportJobs(
  database: Database,
  options: Omit<DispatcherOptions, 'database' | 'onChange'> &
    Pick<JobsOptions, 'maxWaitingSlices' | 'maxWatchers' | 'verification'> & { keep: KeepTimes },
): ExportJobs {
  const { elapsed, sleep, log, maxWaitingSlices, maxWatchers, verification } = options;
  const watch = makeChangeWatch({
    what: 'jobs',
    readVersions: (jobIds) => readVersions(database.queries, jobIds),
    sleep,
    log,
  });
  const queue = makeQueueView(database, elapsed);
  const slots = makeSlotStatusSource(database, queue, elapsed);
  const isMarker = makeIsMarker(makeInstallationReader(database));
  const dispatcher = openDispatcher({ ...options, database, onChange: watch.changed });
  const retention = openRetention({ ...options, database });
  return {
    database,
    watch,
    sleepUntilAborted: sleep,
    queue,
    slots,
    wake: dispatcher.wake,
    isMarker,
    maxWaitingSlices,
    maxWatchers,
    verification,
    async close() {
      await Promise.all([dispatcher.close(), retention.close()]);
    },
  };
}
