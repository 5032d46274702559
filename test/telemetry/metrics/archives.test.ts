import { describe, expect, test } from 'vitest';
import { readArchiveFigures } from '#archives/store/reads/read-archive-figures.ts';
import type { Database } from '#database/database.ts';
import { openMetrics } from '#telemetry/metrics/open-metrics.ts';

import { archiveRow, archiveStart } from '../../archives/archive-rows.ts';
import { openKeptArchives } from '../../archives/keeper/kept-archives.ts';
import { openStore, storageBackends } from '../../export-jobs/storage-backends.ts';
import { readExposition } from './exposition.ts';

/** What a second scrape has: the first one starts the reading. */
async function scrape(database: Database, options: { isPerTarget?: boolean } = {}) {
  const reading = Promise.withResolvers<unknown>();
  const read = () => {
    const found = readArchiveFigures(database);
    reading.resolve(found);
    return found;
  };
  using metrics = openMetrics({
    ...options,
    targets: () => [],
    elapsed: () => 0,
    archives: { read, sleep: async () => {} },
  });
  const first = readExposition(await metrics.render());
  await reading.promise;
  await new Promise(setImmediate);
  return { first, second: readExposition(await metrics.render()) };
}

const noPartitions = {
  open: 0,
  waiting: 0,
  running: 0,
  covered: 0,
  missing: 0,
  atRisk: 0,
  lost: 0,
  waived: 0,
};
const stopProblem = JSON.stringify({ slug: 'destination-not-found', detail: 'gone' });

describe.each(storageBackends)('the metrics of archives in %s', (_name, openStorage) => {
  test('have their states, partitions, watermarks and expiries, in sum and each', async () => {
    await using database = await openStore(openStorage, () => archiveStart + 90_000);
    const values = [
      archiveRow({ id: 'one', lookDueAt: archiveStart + 120_000 }),
      archiveRow(
        { id: 'two', name: 'payments', target: 'prod', stopProblem },
        {
          state: 'atRisk',
          watermarkAt: archiveStart - 86_400_000,
          nextExpiryAt: archiveStart + 3_600_000,
          partitions: { ...noPartitions, atRisk: 4, lost: 1 },
        },
      ),
      archiveRow({ id: 'three', pausedAt: 1 }, { state: 'behind', nextExpiryAt: null }),
      archiveRow({ id: 'new', summary: null, lookDueAt: archiveStart + 120_000 }),
      archiveRow({ id: 'ended', endedAt: 2 }, { state: 'incomplete' }),
    ];
    await database.queries.insertInto('archives').values(values).execute();

    const { first, second } = await scrape(database);

    const { value } = second;
    const sums = (name: string, states: string[]) =>
      states.map((state) => value(`log_export_${name}`, { state }));
    expect(first.samples.filter(({ labels }) => labels.archive !== undefined)).toEqual([]);
    expect(first.value('log_export_archives', { state: 'current' })).toBeUndefined();
    expect(sums('archives', ['current', 'behind', 'incomplete', 'atRisk', 'paused'])).toEqual([
      1, 1, 0, 1, 1,
    ]);
    expect(sums('partitions', ['covered', 'atRisk', 'lost'])).toEqual([24, 4, 1]);
    expect(value('log_export_archives_stopped')).toBe(1);
    expect(value('log_export_oldest_watermark_timestamp_seconds')).toBe(
      archiveStart / 1_000 - 86_400,
    );
    expect(value('log_export_next_expiry_timestamp_seconds')).toBe(archiveStart / 1_000 + 3_600);
    expect(value('log_export_archive_look_overdue_seconds')).toBe(90);

    const two = { target: 'prod', archive: 'two', archive_name: 'payments' };
    expect(value('log_export_archive_state', { ...two, state: 'atRisk' })).toBe(1);
    expect(value('log_export_archive_state', { ...two, state: 'current' })).toBe(0);
    expect(value('log_export_archive_stopped', two)).toBe(1);
    expect(value('log_export_archive_partitions', { ...two, state: 'lost' })).toBe(1);
    expect(value('log_export_archive_watermark_timestamp_seconds', two)).toBe(
      archiveStart / 1_000 - 86_400,
    );
    expect(value('log_export_archive_next_expiry_timestamp_seconds', two)).toBe(
      archiveStart / 1_000 + 3_600,
    );
    const archivesWith = (name: string) =>
      new Set(second.samples.flatMap((each) => (each.name === name ? each.labels.archive : [])));
    expect(archivesWith('log_export_archive_state')).toEqual(
      new Set(['one', 'two', 'three', 'new']),
    );
    expect(archivesWith('log_export_archive_partitions')).toEqual(new Set(['one', 'two', 'three']));
    expect(archivesWith('log_export_archive_next_expiry_timestamp_seconds')).toEqual(
      new Set(['one', 'two']),
    );
  });

  test('count those that fail and lost nothing, and have no watermark of those without work', async () => {
    await using database = await openStore(openStorage);
    const covered = { ...noPartitions, covered: 9, open: 3 };
    const [waiting, missing] = [
      { ...covered, waiting: 2 },
      { ...covered, missing: 1 },
    ];
    const old = archiveStart - 60 * 86_400_000;
    const values = [
      archiveRow({ id: 'paused', pausedAt: 1 }, { watermarkAt: old, partitions: waiting }),
      archiveRow({ id: 'monthly' }, { watermarkAt: old, partitions: covered }),
      archiveRow({ id: 'lost' }, { state: 'incomplete', partitions: { ...missing, lost: 1 } }),
      archiveRow({ id: 'failing' }, { state: 'incomplete', partitions: missing }),
    ];
    await database.queries.insertInto('archives').values(values).execute();

    const { first, second } = await scrape(database);

    expect(first.value('log_export_archives_failing')).toBeUndefined();
    expect(second.value('log_export_archives', { state: 'incomplete' })).toBe(2);
    expect(second.value('log_export_archives_failing')).toBe(1);
    expect(second.value('log_export_oldest_watermark_timestamp_seconds')).toBe(
      archiveStart / 1_000,
    );
  });

  test.each([
    [200, undefined, 200],
    [201, undefined, 0],
    [201, true, 201],
    [2, false, 0],
  ])(
    'of %i archives with METRICS_PER_TARGET %s are of %i single ones',
    async (count, isPerTarget, shown) => {
      await using database = await openStore(openStorage);
      const values = Array.from({ length: count }, (_, index) => archiveRow({ id: String(index) }));
      await database.queries.insertInto('archives').values(values).execute();

      const { second } = await scrape(database, isPerTarget === undefined ? {} : { isPerTarget });

      expect(new Set(second.samples.flatMap(({ labels }) => labels.archive ?? [])).size).toBe(
        shown,
      );
      expect(second.value('log_export_archives', { state: 'current' })).toBe(count);
    },
  );

  test('have no watermark and no expiry without archives, and no archive is zero', async () => {
    await using database = await openStore(openStorage);

    const { second } = await scrape(database);

    expect(second.value('log_export_archives', { state: 'atRisk' })).toBe(0);
    expect(second.value('log_export_archive_look_overdue_seconds')).toBe(0);
    expect(second.value('log_export_oldest_watermark_timestamp_seconds')).toBeUndefined();
    expect(second.value('log_export_next_expiry_timestamp_seconds')).toBeUndefined();
  });
});

test('the metrics of looks count them by result, with their durations', async () => {
  await using kept = await openKeptArchives();
  using metrics = openMetrics({
    targets: () => [],
    elapsed: () => 0,
    archives: { read: async () => [], sleep: async () => {} },
  });
  kept.seed('/app');
  await kept.accept({ logGroupNames: ['/app'] });

  await kept.look();
  kept.advance(2 * 86_400_000);
  const onChange = () => {
    throw new Error('a defect');
  };
  await kept.look({ onChange });

  const { value } = readExposition(await metrics.render());
  expect(value('log_export_archive_looks_total', { result: 'completed' })).toBe(1);
  expect(value('log_export_archive_look_duration_seconds_count')).toBeGreaterThan(0);
  expect(value('log_export_archive_looks_total', { result: 'failed' })).toBe(1);
});
