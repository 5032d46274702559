import type { Database } from '#database/database.ts';
import { makeChangeWatch } from '#export-jobs/watching/change-watch.ts';
import type { Log } from '#telemetry/log.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import type { Archives } from './archives.ts';
import { readArchiveVersions } from './store/reads/read-archives.ts';

/** Opens the archives of an open database. */
export function openArchives(
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
