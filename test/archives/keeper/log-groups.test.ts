import { describe, expect, test } from 'vitest';

import { endJob } from './end-job.ts';
import { dayMs, hourMs, type KeptArchives, openKeptArchives, start } from './kept-archives.ts';

const minuteMs = 60_000;

/** AWS denies the next listing. */
const denied = {
  kind: 'error',
  operation: 'DescribeLogGroups',
  code: 'AccessDeniedException',
  headers: { date: 'unknown' },
} as const;

describe.each(['sqlite', 'postgres'] as const)('the log groups of an archive, on %s', (backend) => {
  test('exports a new log group from its creation, within 15 minutes', async () => {
    await using kept = await openKeptArchives({ backend });
    kept.seed('/app/old');
    const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 2 * dayMs });
    await kept.look();
    const before = await kept.waiting();

    kept.seed('/app/new', { createdAt: start - 1.9 * dayMs });
    kept.seed('/app/young', { createdAt: start });
    for (let minutes = 0; minutes < 14; minutes += 2) {
      kept.advance(2 * minuteMs);
      await kept.look();
    }

    expect(before.map(({ logGroupName, day }) => [logGroupName, day])).toEqual([['/app/old', -2]]);
    const after = await kept.waiting();
    expect(after.map(({ logGroupName, day }) => [logGroupName, day])).toEqual([
      ['/app/new', -2],
      ['/app/old', -2],
    ]);
    const archives = kept.database.queries.selectFrom('archives').where('id', '=', id);
    expect(await archives.select('logGroupCount').execute()).toEqual([{ logGroupCount: 3 }]);
  });

  test('loses what is not covered of a deleted log group, and nothing else', async () => {
    await using kept = await openKeptArchives({ backend });
    kept.seed('/app/a');
    kept.seed('/app/b');
    const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 3 * dayMs });
    await kept.look();
    const [first] = await kept.waiting();
    if (first) await endJob(kept.database, first.jobId, { outcome: 'covered' });

    await kept.remove('/app/a');
    kept.advance(15 * minuteMs);
    await kept.look();

    expect(first).toMatchObject({ logGroupName: '/app/a', day: -3 });
    const gone = 15 / (24 * 60);
    expect(await kept.ranges()).toEqual([
      { logGroupName: '/app/a', incarnation: 1, from: -3, to: -2, state: 'covered' },
      {
        logGroupName: '/app/a',
        incarnation: 1,
        from: -2,
        to: gone,
        state: 'lost',
        cause: 'log-group-deleted',
      },
    ]);
    expect((await kept.waiting()).map(({ logGroupName }) => logGroupName)).toEqual([
      '/app/b',
      '/app/b',
    ]);
    expect(await kept.summary(id)).toMatchObject({
      state: 'incomplete',
      watermarkAt: start - 3 * dayMs,
    });
    expect(kept.log.filter(({ level }) => level === 'error')).toMatchObject([
      { cause: 'log-group-deleted', logGroups: 1, logGroupNames: ['/app/a'] },
    ]);
  });

  test('starts a new incarnation of a log group that was created again', async () => {
    await using kept = await openKeptArchives({ backend });
    kept.seed('/app/a');
    await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 2 * dayMs });
    await kept.look();
    const [old] = await kept.waiting();
    if (old) await endJob(kept.database, old.jobId, { outcome: 'covered' });
    kept.advance(12 * hourMs);
    await kept.look();
    const [late] = await kept.waiting();

    // Replaced at 12:00, but known only after the export of the day before, which has nothing of the old one.
    kept.seed('/app/a', { createdAt: kept.now() });
    kept.advance(5 * minuteMs);
    if (late) await endJob(kept.database, late.jobId, { outcome: 'covered', isEmpty: true });
    kept.advance(10 * minuteMs);
    await kept.look();
    kept.advance(dayMs);
    await kept.look();

    expect(late?.day).toBe(-1);
    expect(await kept.ranges()).toEqual([
      { logGroupName: '/app/a', incarnation: 1, from: -2, to: -1, state: 'covered' },
      {
        logGroupName: '/app/a',
        incarnation: 1,
        from: -1,
        to: 0.5,
        state: 'lost',
        cause: 'log-group-deleted',
      },
    ]);
    expect(await kept.waiting()).toMatchObject([{ logGroupName: '/app/a', day: 0, revision: 1 }]);
  });
});

test('restores what counted as lost when a log group is there after all', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 2 * dayMs });
  await kept.look();
  await kept.remove('/app/a');
  kept.advance(15 * minuteMs);
  await kept.look();
  const lost = await kept.ranges();

  kept.seed('/app/a');
  kept.advance(15 * minuteMs);
  await kept.look();

  expect(lost).toMatchObject([{ state: 'lost' }]);
  expect(await kept.ranges()).toEqual([]);
  expect(await kept.waiting()).toMatchObject([{ day: -2 }]);
});

test('exports all of 1,200 log groups of a prefix, and none of an excepted prefix', async () => {
  await using kept = await openKeptArchives();
  for (let number = 0; number < 1_200; number += 1) kept.seed(`/app/${number}`);
  kept.seed('/app/debug/a');
  const id = await kept.accept({
    logGroupNamePrefix: '/app/',
    exceptLogGroupNamePrefixes: ['/app/debug/'],
    fromAt: start - 2 * dayMs,
  });

  await kept.look();

  expect(await kept.summary(id)).toMatchObject({
    logGroups: 1_200,
    partitions: { waiting: 1_200 },
  });
  expect(await kept.waiting()).toHaveLength(8);
});

test('leaves a log group alone that the archive no longer selects', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  kept.seed('/app/b');
  const id = await kept.accept({ logGroupNames: ['/app/a', '/app/b'], fromAt: start - 2 * dayMs });
  await kept.look();

  await kept.redefine(id, { logGroupNames: ['/app/b'] });
  await kept.look();
  kept.advance(15 * minuteMs);
  await kept.look();

  expect((await kept.waiting()).map(({ logGroupName }) => logGroupName)).toEqual(['/app/b']);
  expect(await kept.ranges()).toEqual([]);
  expect(await kept.summary(id)).toMatchObject({
    logGroups: 1,
    partitions: { waiting: 1, lost: 0 },
  });
});

test('exports a log group that it selects again by the retention that it has then', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a', { retentionInDays: 3 });
  const both = ['/app/a', '/app/b'];
  const id = await kept.accept({ logGroupNames: both, fromAt: start - 2 * dayMs });
  await kept.look();

  await kept.redefine(id, { logGroupNames: ['/app/b'] });
  await kept.look();
  kept.seed('/app/a', { retentionInDays: 365 });
  kept.advance(60 * dayMs);
  await kept.look();
  await kept.redefine(id, { logGroupNames: both });
  await kept.look();
  kept.advance(15 * minuteMs);
  await kept.look();

  expect(await kept.ranges()).toEqual([]);
  expect((await kept.waiting()).map(({ day }) => day)).toContain(-2);
});

test('loses nothing that a longer retention keeps since the last listing', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a', { retentionInDays: 3 });
  const fromAt = start - 3 * dayMs + 2 * hourMs;
  const id = await kept.accept({ logGroupNamePrefix: '/app/', partitionBy: 'hour', fromAt });
  await kept.change(id, { pausedAt: kept.now(), pausedBy: 'ann', pauseReason: 'a test' });
  kept.advance(115 * minuteMs);
  await kept.look();

  kept.seed('/app/a', { retentionInDays: 365 });
  kept.advance(10 * minuteMs);
  await kept.look();

  expect(await kept.ranges()).toEqual([]);
});

test('tends the known log groups while AWS does not list them, and says so', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 2 * dayMs });
  await kept.look();

  kept.emulator.faults.add(denied);
  kept.advance(12 * hourMs);
  await kept.look();

  expect(await kept.waiting()).toMatchObject([{ day: -2 }, { day: -1 }]);
  expect((await kept.summary(id)).listingProblem).toBeTruthy();
  expect(kept.log.filter(({ level }) => level === 'warn')).toMatchObject([
    { problem: 'service-role-not-permitted' },
  ]);
});

/** Heartbeats that are delivered, and their URLs. */
function countHeartbeats() {
  const beats: string[] = [];
  const sendHeartbeat = async (url: string) => {
    beats.push(url);
    return { outcome: 'delivered', origin: '' } as const;
  };
  return { beats, sendHeartbeat };
}

test('an archive is behind and sends no heartbeat before its first listing', async () => {
  const { beats, sendHeartbeat } = countHeartbeats();
  await using kept = await openKeptArchives({ sendHeartbeat });
  kept.seed('/app/a');
  kept.emulator.faults.add(denied);
  const heartbeatUrl = 'https://beats.example/a';
  const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start, heartbeatUrl });

  await kept.look();
  const failed = await kept.summary(id);
  const before = beats.length;
  kept.emulator.faults.clear();
  kept.advance(2 * minuteMs);
  await kept.look();

  expect(failed).toMatchObject({ state: 'behind', listingProblem: expect.any(String) });
  expect(await kept.summary(id)).toMatchObject({ state: 'current' });
  expect([before, beats]).toEqual([0, [heartbeatUrl]]);
});

/** Targets whose listings of log groups have pages without end, like those of more log groups than are listed. */
function withoutEnd({ targets }: KeptArchives): KeptArchives['targets'] {
  const find: typeof targets.find = (name) => {
    const target = targets.find(name);
    const describeLogGroups = async () => ({ logGroups: [], nextToken: 'more' });
    return { ...target, logs: { ...target.logs, describeLogGroups } };
  };
  return { ...targets, find };
}

test('an archive with more than 10,000 log groups is behind and sends no heartbeat', async () => {
  const { beats, sendHeartbeat } = countHeartbeats();
  await using kept = await openKeptArchives({ sendHeartbeat });
  kept.seed('/app/a');
  const heartbeatUrl = 'https://beats.example/a';
  const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start, heartbeatUrl });
  const lookAgain = async (targets: KeptArchives['targets']) => {
    await kept.look({ targets });
    const { state, listingProblem } = await kept.summary(id);
    kept.advance(13 * minuteMs);
    return [state, listingProblem];
  };

  const cut = await lookAgain(withoutEnd(kept));
  kept.emulator.faults.add(denied);
  const failed = await lookAgain(kept.targets);
  await kept.look({ targets: withoutEnd(kept) });
  const before = beats.length;
  kept.advance(13 * minuteMs);
  const whole = await lookAgain(kept.targets);

  const tooMany = expect.stringContaining('more than 10,000 log groups');
  expect([cut, failed]).toEqual([
    ['behind', tooMany],
    ['behind', tooMany],
  ]);
  expect([before, beats.length]).toEqual([0, 1]);
  expect(whole).toEqual(['current', undefined]);
  const lines = kept.log.filter(({ archiveId }) => archiveId === id);
  expect(lines.map(({ level, text }) => [level, text])).toEqual([
    ['warn', 'found too many log groups of an archive'],
    ['warn', 'failed to list the log groups of an archive, retrying'],
    ['error', 'found too many log groups of an archive'],
    ['info', 'log groups of an archive listed again'],
  ]);
});
