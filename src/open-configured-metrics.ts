import { readArchiveFigures } from '#archives/store/reads/read-archive-figures.ts';
import { toListenError } from '#config/listen-error.ts';
import type { MetricsConfig } from '#config/metrics.ts';
import type { Database } from '#database/database.ts';
import { closeAtOnce } from '#edge/connections.ts';
import { readOpenSlices } from '#export-jobs/queue/read-open-slices.ts';
import { readNotificationFigures } from '#notifications/deliveries/read-figures.ts';
import type { Targets } from '#targets/target.ts';
import type { Log } from '#telemetry/log.ts';
import { sleepUntilAborted } from '#time/sleep.ts';

/** What the metrics are read from. */
export interface ConfiguredMetricsOptions {
  targets: Pick<Targets, 'list'>;
  /** The database of the export jobs; absent if they are off. */
  database: Database | undefined;
  elapsed: () => number;
  log: Log;
}

/** Metrics that can be scraped. */
export interface ServedMetrics extends AsyncDisposable {
  url: string;
}

/**
 * Opens the metrics and serves them.
 * @throws an error named ConfigError if it cannot listen
 */
export async function openConfiguredMetrics(
  { host, port, isPerTarget }: MetricsConfig,
  { targets, database, elapsed, log }: ConfiguredMetricsOptions,
): Promise<ServedMetrics> {
  // Loaded on demand: without metrics, their client is not loaded.
  const { openMetrics } = await import('#telemetry/metrics/open-metrics.ts');
  const { openMetricsListener } = await import('#telemetry/metrics/listener.ts');
  await using opening = new AsyncDisposableStack();
  const metrics = opening.use(
    openMetrics({
      targets: targets.list,
      isPerTarget,
      jobs: database && {
        read: (targets) => readOpenSlices(database, targets),
        isDatabaseReady: () => database.whyNotReady() === undefined,
        sleep: sleepUntilAborted,
      },
      archives: database && {
        read: () => readArchiveFigures(database),
        sleep: sleepUntilAborted,
      },
      notifications: database && {
        read: () => readNotificationFigures(database),
        sleep: sleepUntilAborted,
      },
      elapsed,
    }),
  );
  const address = { host, port, log, closeAtOnce };
  const listener = await openMetricsListener(metrics, address).catch((error: unknown) => {
    throw toListenError(error, { host, port, prefix: 'METRICS_' });
  });
  opening.use(listener);
  const opened = opening.move();
  return { url: listener.url, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}
