import { databaseQueries } from '#diagnostics/database-queries.ts';
import type { Instruments } from '../instruments.ts';

/** Measures the statements of the export jobs. `isReady` is whether the tables are up to date. */
export function measureDatabase(
  { gauge, histogram, listen, beforeScrape }: Instruments,
  isReady: () => boolean,
): void {
  const durations = histogram({
    name: 'log_export_database_query_duration_seconds',
    help: 'Duration of statements of the database, in seconds.',
    buckets: [
      0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5,
      5,
    ],
  });
  const up = gauge({
    name: 'log_export_database_up',
    help: 'Whether the database did what it was last asked to do: 1 or 0.',
  });
  let isUp = true;
  listen(databaseQueries, ({ durationMs, isUnavailable }) => {
    isUp = !isUnavailable;
    if (durationMs !== undefined) durations.observe(durationMs / 1_000);
  });
  beforeScrape(() => up.set(isUp && isReady() ? 1 : 0));
}
