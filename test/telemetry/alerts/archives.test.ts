import { expect, test } from 'vitest';

import { readArchiveFigures } from '#archives/store/reads/read-archive-figures.ts';
import { openMetrics } from '#telemetry/metrics/open-metrics.ts';
import { dayMs, hourMs, openKeptArchives, start } from '../../archives/keeper/kept-archives.ts';
import { readRules, sectionOf } from './read-rules.ts';
import { sectionsOfLine } from './read-runbook.ts';
import { makeRecording, skipWithoutPromtool } from './recording.ts';

/** Scrapes what the looks have found, as a gateway serves it. */
async function scrape(database: Parameters<typeof readArchiveFigures>[0]): Promise<string> {
  const figures = await readArchiveFigures(database);
  using metrics = openMetrics({
    targets: () => [],
    elapsed: () => 0,
    archives: { read: async () => figures, sleep: async () => {} },
  });
  await metrics.render();
  await new Promise(setImmediate);
  return await metrics.render(); // they are closed after it
}

test.for<[string, string, string, number]>([
  [
    'at risk, also while its archive is paused',
    'LogExportArchiveAtRisk',
    'partitions of an archive came near their expiry',
    2 * dayMs + 7 * hourMs,
  ],
  [
    'lost',
    'LogExportPartitionsLost',
    'log events of an archive were lost before their export',
    3 * dayMs + hourMs,
  ],
])(
  'a partition is %s: the alert fires, and log and runbook say so',
  async ([, alert, text, ms], { skip }) => {
    await using kept = await openKeptArchives();
    kept.seed('/app', { retentionInDays: 3 });
    const id = await kept.accept({ logGroupNames: ['/app'], fromAt: start });
    await kept.look();
    await kept.change(id, {
      pausedAt: kept.now(),
      pausedBy: 'ann',
      pauseReason: 'the bucket moves',
    });

    kept.advance(ms);
    await kept.look();

    const line = kept.log.find((each) => each.text === text);
    expect(line).toMatchObject({ archiveId: id, target: 'default', logGroupNames: ['/app'] });
    const rule = readRules().find((each) => each.alert === alert);
    expect(sectionsOfLine(text)).toContain(rule && sectionOf(rule));
    const recording = makeRecording();
    recording.add(await scrape(kept.database), 5);
    skipWithoutPromtool(skip);
    recording.expectFiring(alert);
  },
);
