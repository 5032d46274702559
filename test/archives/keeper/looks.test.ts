import { describe, expect, test } from 'vitest';
import { keeperTimings } from '#archives/keeper/timings.ts';
import { claimLook } from '#archives/store/looks/claim-look.ts';
import { isStaleLook, releaseLook, writeOfLook } from '#archives/store/looks/hold-look.ts';
import { anonymous } from '#auth/principal.ts';
import { databaseQueries } from '#diagnostics/database-queries.ts';
import { endJob, endStartedJob, startJob } from './end-job.ts';
import { dayMs, hourMs, type KeptArchives, openKeptArchives, start } from './kept-archives.ts';

const minuteMs = 60_000;
const { leaseMs } = keeperTimings;

async function acceptOne(kept: KeptArchives): Promise<string> {
  kept.seed('/app/a');
  return kept.accept({ logGroupNames: ['/app/a'], fromAt: start - 2 * dayMs });
}

const claim = ({ database }: KeptArchives, owner: string) =>
  claimLook(database, owner, keeperTimings, []);

describe.each(['sqlite', 'postgres'] as const)('the look at an archive, on %s', (backend) => {
  test('belongs to one process at a time', async () => {
    await using kept = await openKeptArchives({ backend });
    await acceptOne(kept);

    const claims = await Promise.all(['one', 'two', 'three'].map((owner) => claim(kept, owner)));

    expect(claims.filter(Boolean)).toHaveLength(1);
  });

  test('writes nothing after another process has taken the archive up', async () => {
    await using kept = await openKeptArchives({ backend });
    const id = await acceptOne(kept);
    const frozen = await claim(kept, 'one');
    kept.advance(2 * minuteMs);
    const other = await claim(kept, 'two');

    const { database } = kept;
    const version = frozen?.archive.version ?? 0;
    const lease = frozen?.lease ?? { archiveId: id, owner: '', looks: 0 };
    const write = writeOfLook({ database, lease, leaseMs, version }, (queries) =>
      queries.updateTable('archives').set({ name: 'changed' }).execute(),
    );

    await expect(write).rejects.toSatisfy(isStaleLook);
    expect(other?.archive.name).toBe((await kept.archive(id)).name);
  });

  test('writes nothing after a caller has changed the archive, and is made again at once', async () => {
    await using kept = await openKeptArchives({ backend });
    const id = await acceptOne(kept);
    const claimed = await claim(kept, 'one');
    await kept.change(id, { pausedAt: kept.now() });

    const { database } = kept;
    const lease = claimed?.lease ?? { archiveId: id, owner: '', looks: 0 };
    const version = claimed?.archive.version ?? 0;
    const write = writeOfLook({ database, lease, leaseMs, version }, async () => {});

    await expect(write).rejects.toSatisfy(isStaleLook);
    await releaseLook(database, lease);
    expect(await claim(kept, 'two')).toMatchObject({ archive: { pausedAt: kept.now() } });
  });

  test('is due when the clock of the database was set back', async () => {
    await using kept = await openKeptArchives({ backend });
    const id = await acceptOne(kept);
    await kept.look();

    await kept.change(id, {});
    await kept.database.queries
      .updateTable('archives')
      .set({ lookDueAt: kept.now() + dayMs })
      .execute();

    expect(await claim(kept, 'one')).toBeDefined();
  });
});

test('makes one statement while no archive is due', async () => {
  await using kept = await openKeptArchives();
  let statements = 0;
  const unsubscribe = databaseQueries.subscribe(() => {
    statements += 1;
  });

  const ofLooks: number[] = [];
  for (let look = 0; look < 3; look += 1) {
    statements = 0;
    await kept.look({ timings: { ...keeperTimings, looksAtOnce: 1 } });
    ofLooks.push(statements);
  }

  unsubscribe();
  // One for each of its three rounds. What an earlier test of this process has left can make some, too.
  expect(Math.min(...ofLooks)).toBe(3);
});

test('withdraws what waits when an archive ends, and looks no more after the last export', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  const id = await kept.accept({ logGroupNames: ['/app/a'], fromAt: start - 4 * dayMs });
  await kept.look();
  const [running] = await kept.waiting();
  await startJob(kept.database, running?.jobId ?? '');

  await kept.change(id, { endedAt: kept.now() });
  await kept.look();
  const waiting = await kept.waiting();
  const { lookDueAt } = await kept.archive(id);
  await endStartedJob(kept.database, running?.jobId ?? '', { outcome: 'covered' });
  await kept.look();

  expect(waiting).toEqual([]);
  expect(lookDueAt).toBeLessThan(kept.now() + hourMs);
  expect(await kept.ranges()).toMatchObject([{ from: -4, to: -3, state: 'covered' }]);
  kept.advance(365 * dayMs);
  expect(await claim(kept, 'one')).toBeUndefined();
});

test('exports what became due during a pause after it', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOne(kept);
  await kept.change(id, { pausedAt: kept.now() });
  await kept.look();
  kept.advance(3 * dayMs);
  await kept.look();
  const paused = await kept.waiting();

  await kept.change(id, { pausedAt: null });
  await kept.look();

  expect(paused).toEqual([]);
  expect((await kept.waiting()).map(({ day }) => day)).toEqual([-2, -1, 0, 1]);
});

test('sends the heartbeat of a current archive, at most every five minutes', async () => {
  const sent: number[] = [];
  await using kept = await openKeptArchives({
    async sendHeartbeat() {
      sent.push((kept.now() - start) / minuteMs);
      return { outcome: 'delivered', origin: '' };
    },
  });
  kept.seed('/app/a');
  const id = await kept.accept({
    logGroupNames: ['/app/a'],
    fromAt: start - dayMs,
    heartbeatUrl: 'https://beats.example/a',
  });

  for (let minutes = 0; minutes <= 14; minutes += 2) {
    await kept.look();
    kept.advance(2 * minuteMs);
  }
  await kept.change(id, { pausedAt: kept.now() });
  await kept.look();

  expect(sent).toEqual([0, 6, 12]);
});

test('creates nothing while its target is gone, and says so', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOne(kept);
  const { targets } = kept;

  await kept.look({ targets: { ...targets, whyClosed: () => targets.whyClosed('gone') } });

  expect((await kept.summary(id)).listingProblem).toBeTruthy();
  expect(await kept.waiting()).toEqual([]);
});

test('calls AWS no more when the target has another account now', async () => {
  await using kept = await openKeptArchives();
  const id = await acceptOne(kept);
  await kept.look();
  await kept.change(id, { accountId: '999999999999' });
  kept.emulator.journal.clear();
  kept.advance(15 * minuteMs);

  await kept.look();

  expect(kept.emulator.journal.entries()).toEqual([]);
  expect(await kept.ranges()).toEqual([]);
  expect((await kept.summary(id)).listingProblem).toContain('another account');
});

test('fills the queue again while a long listing goes on', async () => {
  await using kept = await openKeptArchives();
  for (let number = 100; number < 250; number += 1) kept.seed(`/app/${number}`);
  await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 2 * dayMs });
  await kept.look();
  kept.advance(15 * minuteMs);
  const queued: number[] = [];

  await kept.look({
    async sleep() {
      queued.push((await kept.waiting()).length);
      for (const { jobId } of await kept.waiting())
        await endJob(kept.database, jobId, { outcome: 'covered' });
    },
  });

  expect(queued).toEqual([8, 8]);
});

test('lists the log groups of two archives of a target one after the other', async () => {
  await using kept = await openKeptArchives();
  for (let number = 100; number < 160; number += 1) kept.seed(`/app/${number}`);
  const archive = { logGroupNamePrefix: '/app/', fromAt: start - 2 * dayMs };
  const ids = [await kept.accept(archive), await kept.accept(archive)];
  const listing = Promise.withResolvers<void>();

  const looking = kept.look({ sleep: () => listing.promise });
  while (kept.emulator.journal.entries().length === 0) await new Promise(setImmediate);
  await kept.look();
  const calls = kept.emulator.journal.entries().length;
  listing.resolve();
  await looking;
  kept.advance(minuteMs);
  await kept.look();

  expect(calls).toBeGreaterThan(0);
  const listed = await Promise.all(ids.map(async (id) => (await kept.archive(id)).listedAt));
  expect(listed).toEqual([start, expect.any(Number)]);
});

test.each(['sqlite', 'postgres'] as const)(
  'lists the log groups of the archive that waits longest when another listing ends, on %s',
  async (backend) => {
    await using kept = await openKeptArchives({ backend });
    const { queries } = kept.database;
    for (let number = 100; number < 160; number += 1) kept.seed(`/app/${number}`);
    const archive = { logGroupNamePrefix: '/app/', fromAt: start - 2 * dayMs };
    const ids = [
      await kept.accept(archive),
      await kept.accept(archive),
      await kept.accept(archive),
    ];
    const [, , oldest = ''] = ids;
    const createdAt = start - minuteMs;
    await queries.updateTable('archives').set({ createdAt }).where('id', '=', oldest).execute();
    const earliest = queries.updateTable('archives').where('id', '=', ids[0] ?? '');
    await earliest.set({ lookDueAt: start - minuteMs }).execute();
    const listing = Promise.withResolvers<void>();
    const countWaiting = async () => {
      const free = queries.selectFrom('archives').select('id').where('owner', 'is', null);
      return (await free.where('lookDueAt', '>', start).execute()).length;
    };

    const looking = kept.look({
      async sleep() {
        await listing.promise;
        kept.advance(1_000);
      },
    });
    while ((await countWaiting()) < 2) await new Promise(setImmediate);
    listing.resolve();
    await looking;

    const listed = await Promise.all(ids.map(async (id) => (await kept.archive(id)).listedAt));
    // On a busy machine, another one than the first can begin.
    const order = byTime(listed);
    expect(listed.toSorted()).toEqual([start, start + 1_000, start + 2_000]);
    expect(order.indexOf(2)).toBeLessThanOrEqual(1);
  },
);

/** The places of archives, in the order in which they were listed. */
const byTime = (listed: (number | null)[]) =>
  [...listed.keys()].toSorted((one, other) => (listed[one] ?? 0) - (listed[other] ?? 0));

test.each(['sqlite', 'postgres'] as const)(
  'lists an archive of another caller before further archives of the same caller, on %s',
  async (backend) => {
    await using kept = await openKeptArchives({ backend });
    const { queries } = kept.database;
    for (let number = 100; number < 160; number += 1) kept.seed(`/app/${number}`);
    const acceptOf = async (caller: string, listedMinutesAgo: number | null) => {
      const principal = { ...anonymous, id: caller };
      const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start, principal });
      const listedAt = listedMinutesAgo === null ? null : start - listedMinutesAgo * minuteMs;
      await kept.change(id, { listedAt });
      return id;
    };
    const ids = [
      await acceptOf('large', 90),
      await acceptOf('large', 80),
      await acceptOf('large', 70),
      await acceptOf('small', 15),
    ];
    const earliest = queries.updateTable('archives').where('id', '=', ids[0] ?? '');
    await earliest.set({ lookDueAt: start - minuteMs }).execute();
    const listing = Promise.withResolvers<void>();
    const countWaiting = async () => {
      const free = queries.selectFrom('archives').select('id').where('owner', 'is', null);
      return (await free.where('lookDueAt', '>', start).execute()).length;
    };

    const looking = kept.look({
      async sleep() {
        await listing.promise;
        kept.advance(1_000);
      },
    });
    while ((await countWaiting()) < 3) await new Promise(setImmediate);
    listing.resolve();
    await looking;

    const listed = await Promise.all(ids.map(async (id) => (await kept.archive(id)).listedAt));
    // On a busy machine, another one than the first can begin.
    const [unlisted, first, second, third] = byTime(listed);
    expect([second, third]).toEqual(first === 3 ? [0, 1] : [3, first === 0 ? 1 : 0]);
    expect(listed.toSorted()).toEqual([listed[unlisted ?? 0], start, start + 1_000, start + 2_000]);
    expect(listed[unlisted ?? 0]).toBeLessThan(start);
  },
);

test('sends no heartbeat and warns once while the listings of other archives delay its own', async () => {
  const beats: number[] = [];
  await using kept = await openKeptArchives({
    async sendHeartbeat() {
      beats.push(kept.now());
      return { outcome: 'delivered', origin: '' };
    },
  });
  for (let number = 100; number < 160; number += 1) kept.seed(`/large/${number}`);
  kept.seed('/small/a');
  const heartbeatUrl = 'https://beats.example/a';
  const small = await kept.accept({ logGroupNamePrefix: '/small/', fromAt: start, heartbeatUrl });
  await kept.look();
  await kept.accept({ logGroupNamePrefix: '/large/', fromAt: start });
  const listing = Promise.withResolvers<void>();
  const isListed = Promise.withResolvers<void>();
  const looker = kept.looker({
    sleep() {
      isListed.resolve();
      return listing.promise;
    },
  });
  await looker.beginDue();
  await isListed.promise;

  const seen: unknown[] = [];
  for (const minutes of [23, 2, 2]) {
    kept.advance(minutes * minuteMs);
    const { looks } = await kept.archive(small);
    await looker.beginDue();
    while ((await kept.archive(small)).owner !== null) await new Promise(setImmediate);
    expect((await kept.archive(small)).looks).toBe(looks + 1);
    const { state, listingProblem } = await kept.summary(small);
    seen.push([state, listingProblem, beats.length]);
  }
  listing.resolve();
  await looker.whenIdle();
  kept.advance(minuteMs);
  await kept.look();

  const late = ['behind', expect.stringContaining('24 minutes'), 2];
  expect(seen).toEqual([['current', undefined, 2], late, late]);
  expect(await kept.summary(small)).toMatchObject({ state: 'current' });
  expect(await kept.summary(small)).not.toHaveProperty('listingProblem');
  const lines = kept.log.filter(({ archiveId }) => archiveId === small);
  expect(lines.map(({ text }) => text)).toEqual([
    'the log groups of an archive were not listed for long',
    'log groups of an archive listed again',
  ]);
});
