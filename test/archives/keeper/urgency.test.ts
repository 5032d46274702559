import { describe, expect, test } from 'vitest';

import { databaseQueries } from '#diagnostics/database-queries.ts';
import { endJob, endStartedJob, startJob } from './end-job.ts';
import { dayMs, hourMs, type KeptArchives, openKeptArchives, start } from './kept-archives.ts';

const minuteMs = 60_000;

/** Makes the looks of a quarter of an hour, one every two minutes. */
async function lookForQuarterHour(kept: KeptArchives): Promise<void> {
  for (let minutes = 0; minutes < 14; minutes += 2) {
    kept.advance(2 * minuteMs);
    await kept.look();
  }
}

describe.each(['sqlite', 'postgres'] as const)('a retention that was cut, on %s', (backend) => {
  test('announces partitions at risk within 15 minutes, and exports them by expiry before people', async () => {
    await using kept = await openKeptArchives({ backend });
    kept.seed('/app/a', { retentionInDays: 30 });
    kept.seed('/app/b');
    const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 20 * dayMs });
    await kept.look();
    const before = await kept.waiting();

    kept.seed('/app/a', { retentionInDays: 3 });
    await lookForQuarterHour(kept);

    expect(before.map(({ day, priority }) => [day, priority])).toEqual(
      [-20, -19, -18, -17, -16, -15, -14, -13].map((day) => [day, -5]),
    );
    expect(kept.log.filter(({ level }) => level !== 'info')).toMatchObject([
      { cause: 'retention', logGroupNames: ['/app/a'] },
      { text: 'partitions of an archive came near their expiry', logGroupNames: ['/app/a'] },
    ]);
    const waiting = await kept.waiting();
    expect(waiting).toHaveLength(8);
    expect(waiting.slice(0, 2)).toMatchObject([
      { logGroupName: '/app/a', day: -3 + 1 / 24, priority: 5 },
      { logGroupName: '/app/b', day: -20, priority: -5 },
    ]);
    expect(await kept.summary(id)).toMatchObject({ state: 'atRisk', nextExpiryOf: '/app/a' });
    const [lost] = await kept.ranges();
    expect(lost).toMatchObject({ from: -20, state: 'lost', cause: 'retention' });
  });

  test('announces partitions at risk while the archive is paused, and creates nothing', async () => {
    await using kept = await openKeptArchives({ backend });
    kept.seed('/app/a', { retentionInDays: 30 });
    const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 5 * dayMs });
    await kept.look();
    await kept.change(id, { pausedAt: kept.now(), pausedBy: 'ann', pauseReason: 'a test' });
    await kept.look();
    const paused = await kept.waiting();

    kept.seed('/app/a', { retentionInDays: 5 });
    await lookForQuarterHour(kept);

    expect(paused).toEqual([]);
    expect(await kept.partitions()).toEqual([]);
    expect(kept.log.map(({ text }) => text)).toContain(
      'partitions of an archive came near their expiry',
    );
    expect(await kept.summary(id)).toMatchObject({ partitions: { atRisk: 2 } });
    await kept.change(id, { pausedAt: null });
    await kept.look();
    expect((await kept.waiting()).length).toBeGreaterThan(0);
  });
});

test('withdraws the export of a time that expires in the queue, and exports the rest', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a', { retentionInDays: 3 });
  await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 3 * dayMs });
  await kept.look();
  const before = await kept.waiting();

  kept.advance(2 * hourMs + minuteMs);
  await kept.look();

  expect(before).toMatchObject([{ day: -3, days: 1 }, { day: -2 }]);
  const [lost] = await kept.ranges();
  expect(lost).toMatchObject({ from: -3, to: -3 + 2 / 24, state: 'lost', cause: 'retention' });
  expect(await kept.waiting()).toMatchObject([
    { day: -3 + 3 / 24, days: 21 / 24 },
    { day: -2, days: 1 },
  ]);
});

test('does not lose what a running export was sent for in time', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a', { retentionInDays: 3 });
  await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 3 * dayMs });
  await kept.look();
  const [first] = await kept.waiting();
  if (first) await startJob(kept.database, first.jobId);

  kept.advance(2 * hourMs);
  await kept.look();

  expect(await kept.ranges()).toEqual([]);
});

test('covers nothing that had expired when its export was sent', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a', { retentionInDays: 3 });
  await kept.accept({
    logGroupNames: ['/app/a'],
    fromAt: start - 3 * dayMs,
    toAt: start - 2 * dayMs,
  });
  await kept.look();
  const [job] = await kept.waiting();

  kept.advance(2 * hourMs + minuteMs);
  await endJob(kept.database, job?.jobId ?? '', { outcome: 'covered' });
  kept.advance(hourMs);
  await kept.look();

  expect(await kept.ranges()).toMatchObject([
    { from: -3, to: -3 + 3 / 24, state: 'lost', cause: 'retention' },
    { from: -3 + 3 / 24, to: -2, state: 'covered' },
  ]);
});

test.each([
  ['it was cut later', 30, 3, 0],
  ['it was lengthened later', 3, 365, 3 / 24],
])(
  'covers a time by the retention when its export was sent: %s',
  async (_what, before, after, expired) => {
    await using kept = await openKeptArchives();
    kept.seed('/app/a', { retentionInDays: before });
    const days = { fromAt: start - 3 * dayMs, toAt: start - 2 * dayMs };
    await kept.accept({ logGroupNames: ['/app/a'], ...days });
    await kept.look();
    const [job] = await kept.waiting();
    kept.advance(2 * hourMs + minuteMs);
    await startJob(kept.database, job?.jobId ?? '');
    await kept.look();

    kept.seed('/app/a', { retentionInDays: after });
    kept.advance(hourMs);
    await kept.look();
    await endStartedJob(kept.database, job?.jobId ?? '', { outcome: 'covered' });

    const ranges = await kept.ranges();
    expect(ranges.filter(({ state }) => state === 'covered')).toMatchObject([
      { from: -3 + expired, to: -2 },
    ]);
  },
);

test('gives places in a full queue to partitions at risk', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  kept.seed('/app/b', { retentionInDays: 30 });
  await kept.accept({ logGroupNames: ['/app/a'], fromAt: start - 20 * dayMs });
  const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 20 * dayMs });
  await kept.look();
  await kept.redefine(id, { priority: -6 });
  await kept.look();

  kept.seed('/app/b', { retentionInDays: 4 });
  await lookForQuarterHour(kept);

  const waiting = (await kept.waiting()).filter(({ priority }) => priority !== -5);
  expect(waiting).toHaveLength(8);
  expect(waiting[0]).toMatchObject({ logGroupName: '/app/b', priority: 5 });
});

test('queues the most urgent of 10,000 partitions in the first look after a month', async () => {
  await using kept = await openKeptArchives();
  for (let number = 0; number < 334; number += 1)
    kept.seed(`/app/${number}`, { retentionInDays: number === 200 ? 32 : 90 });
  const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start });
  await kept.look();
  kept.advance(31 * dayMs);
  let statements = 0;
  const unsubscribe = databaseQueries.subscribe(() => {
    statements += 1;
  });

  await kept.look();

  unsubscribe();
  const { partitions } = await kept.summary(id);
  expect(partitions.waiting + partitions.atRisk).toBe(10_020);
  expect((await kept.waiting())[0]).toMatchObject({
    logGroupName: '/app/200',
    day: 0,
    priority: 5,
  });
  expect(statements).toBeLessThan(200);
});
