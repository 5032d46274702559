import type { Database } from '#database/database.ts';
import { makeChangeWatch } from '#export-jobs/watching/change-watch.ts';
import type { Log } from '#telemetry/log.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import type { Archives } from './archives.ts';
import { makeHeartbeatSender } from './heartbeat/heartbeat-sender.ts';
import type { KeeperOptions } from './keeper/look.ts';
import { openKeeper } from './keeper/open-keeper.ts';
import { readArchiveVersions } from './store/reads/read-archives.ts';

/** Makes the archives of an open database, without a keeper. */
export function makeArchives(
  database: Database,
  options: Pick<Archives, 'heartbeatOrigins'> & { sleep: AbortableSleep; log: Log },
): Archives {
  const { heartbeatOrigins, sleep, log } = options;
  const watch = makeChangeWatch({
    what: 'archives',
    readVersions: (archiveIds) => readArchiveVersions(database.queries, archiveIds),
    sleep,
    log,
  });
  return { watch, wake() {}, heartbeatOrigins };
}

/** Opens the archives of an open database, and their keeper. */
export function openArchives(
  database: Database,
  options: Omit<KeeperOptions, 'database' | 'sendHeartbeat' | 'onChange'> &
    Pick<Archives, 'heartbeatOrigins'>,
): Archives & { close(): Promise<void> } {
  const archives = makeArchives(database, options);
  const keeper = openKeeper({
    ...options,
    database,
    sendHeartbeat: makeHeartbeatSender(options.heartbeatOrigins),
    onChange: archives.watch.changed,
  });
  return { ...archives, wake: keeper.wake, close: keeper.close };
}
