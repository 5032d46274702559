import { databaseQueries } from '#diagnostics/database-queries.ts';
import type { Instruments } from '../instruments.ts';

// On a full disk, SQLite reads and does not write. Shorter: the database looks up between two writes. Longer: a short
// outage looks long.
const calmMs = 60_000;

/** Measures the statements of the export jobs. `isReady` is whether the tables are up to date. */
export function measureDatabase(
  { gauge, histogram, listen, beforeScrape, elapsed }: Instruments,
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
    help: 'Whether the database has been reachable and writable for a minute: 1 or 0.',
  });
  let failedAt = Number.NEGATIVE_INFINITY;
  listen(databaseQueries, ({ durationMs, isUnavailable }) => {
    if (isUnavailable) failedAt = elapsed();
    if (durationMs !== undefined) durations.observe(durationMs / 1_000);
  });
  beforeScrape(() => up.set(isReady() && elapsed() - failedAt >= calmMs ? 1 : 0));
}
