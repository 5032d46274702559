import { describe, expect, test } from 'vitest';

import { addBackfill } from '#archives/store/requests/add-backfill.ts';
import { addWaiver } from '#archives/store/requests/add-waiver.ts';
import { splitByUnit } from '#coverage/ledger/units.ts';
import type { Window } from '#time/window.ts';
import { approvalOf } from '../../export-jobs/caller-requests.ts';
import {
  beginAndHold,
  untilLockIsWaitedFor,
} from '../../export-jobs/store/concurrent-transactions.ts';
import { endJob, endStartedJob, startJob } from './end-job.ts';
import { dayMs, hourMs, type KeptArchives, openKeptArchives, start } from './kept-archives.ts';

const approval = approvalOf('ann');

/** Adds log groups `/app/other-…` to an archive, with two days before it that are covered. */
async function addCovered(
  { database }: KeptArchives,
  archiveId: string,
  { logGroups, again }: { logGroups: number; again: 'refresh' | null },
): Promise<void> {
  const key = { archiveId, incarnation: 1 };
  const time = { fromAt: start - 3 * dayMs, toAt: start - dayMs };
  const covered = { ...time, state: 'covered', isEmpty: 0, again, cause: null } as const;
  const found = { createdAt: start - 400 * dayMs, seenAt: start, retentionDays: null, covered: 2 };
  const keys = Array.from({ length: logGroups }, (_, number) => ({
    ...key,
    logGroupName: `/app/other-${number}`,
  }));
  await database.queries
    .insertInto('archiveLogGroups')
    .values(keys.map((each) => ({ ...each, ...found })))
    .execute();
  await database.queries
    .insertInto('archiveRanges')
    .values(keys.map((each) => ({ ...each, ...covered })))
    .execute();
}

/** Lets the second exports of log groups of `addCovered` fail for the last time. */
async function failForGood({ database }: KeptArchives, archiveId: string): Promise<void> {
  const ranges = await database.queries
    .selectFrom('archiveRanges')
    .select(['logGroupName', 'incarnation', 'fromAt', 'toAt'])
    .where('logGroupName', 'like', '/app/other-%')
    .execute();
  const failed = { archiveId, state: 'missing', jobId: null, revision: 2, failures: 4 } as const;
  const problem = JSON.stringify({ type: 'export-failed', title: '', detail: '' });
  const rows = ranges.flatMap(({ fromAt, toAt, ...key }) =>
    [...splitByUnit({ fromAt, toAt }, 'day')].map((day) => ({
      ...failed,
      ...key,
      ...day,
      retryAt: null,
      problem,
    })),
  );
  await database.queries.insertInto('archivePartitions').values(rows).execute();
}

/** Requests a backfill that also exports covered time again. */
const backfillAll = (
  { database }: KeptArchives,
  id: string,
  window: Window,
  logGroupNames: string[] | null = null,
) => {
  const backfill = { logGroupNames, ...window, reprocess: 'all', order: 'oldest' } as const;
  return addBackfill(database, id, backfill, approval);
};

/** Ends all waiting jobs with coverage, and looks. */
async function coverAll(kept: KeptArchives): Promise<void> {
  for (const { jobId } of await kept.waiting())
    await endJob(kept.database, jobId, { outcome: 'covered' });
  await kept.look();
}

describe.each(['sqlite', 'postgres'] as const)('the refresh of a partition, on %s', (backend) => {
  test('exports it once more after refreshDays, as a new revision', async () => {
    await using kept = await openKeptArchives({ backend });
    kept.seed('/app/a');
    const id = await kept.accept({
      logGroupNames: ['/app/a'],
      fromAt: start - 2 * dayMs,
      toAt: start - dayMs,
      refreshDays: 3,
    });
    await kept.look();
    await coverAll(kept);
    const first = await kept.ranges();
    kept.advance(2 * dayMs - hourMs);
    await kept.look();
    const early = await kept.waiting();

    kept.advance(hourMs);
    await kept.look();
    const refresh = await kept.waiting();
    await coverAll(kept);
    kept.advance(30 * dayMs);
    await kept.look();

    expect(first).toMatchObject([{ from: -2, to: -1, state: 'covered', again: 'refresh' }]);
    expect(early).toEqual([]);
    expect(refresh).toMatchObject([{ day: -2, revision: 2 }]);
    expect(await kept.ranges()).toEqual([
      { logGroupName: '/app/a', incarnation: 1, from: -2, to: -1, state: 'covered' },
    ]);
    expect(await kept.waiting()).toEqual([]);
    expect(await kept.summary(id)).toMatchObject({ state: 'current', partitions: { covered: 1 } });
  });

  test('leaves its export in the queue until it starts', async () => {
    await using kept = await openKeptArchives({ backend });
    // The order of letters is that of a language on PostgreSQL, and that of bytes elsewhere.
    const logGroupNames = ['/app/a', '/app/B'];
    for (const name of logGroupNames) kept.seed(name);
    const window = { fromAt: start - 2 * dayMs, toAt: start - dayMs };
    await kept.accept({ logGroupNames, ...window, refreshDays: 3 });
    await kept.look();
    await coverAll(kept);
    kept.advance(2 * dayMs);
    await kept.look();
    const refresh = await kept.waiting();

    kept.advance(hourMs);
    await kept.look();

    expect(refresh).toMatchObject([{ revision: 2 }, { revision: 2 }]);
    expect(await kept.waiting()).toEqual(refresh);
  });

  test('queues no export that has expired since the last listing', async () => {
    await using kept = await openKeptArchives({ backend });
    kept.seed('/app/a', { retentionInDays: 4 });
    const window = { fromAt: start - 2 * dayMs, toAt: start - dayMs };
    await kept.accept({ logGroupNames: ['/app/a'], ...window, refreshDays: 3 });
    await kept.look();
    await coverAll(kept);
    kept.advance(2 * dayMs - 1000);
    await kept.look();

    for (let look = 1; look <= 4; look += 1) {
      kept.advance(130_000);
      await kept.look();
    }

    const jobs = await kept.database.queries.selectFrom('jobs').select('id').execute();
    expect(jobs).toHaveLength(1);
    expect(await kept.ranges()).toMatchObject([{ from: -2, to: -1, again: 'refresh' }]);
    kept.advance(5 * 60_000);
    await kept.look();
    expect(await kept.ranges()).toMatchObject([{ from: -2, to: -1, state: 'covered' }]);
    expect((await kept.ranges()).filter((range) => 'again' in range)).toEqual([]);
  });

  test('keeps the earlier export as final when the log events expire before it', async () => {
    await using kept = await openKeptArchives({ backend });
    kept.seed('/app/a', { retentionInDays: 3 });
    await kept.accept({
      logGroupNames: ['/app/a'],
      fromAt: start - 2 * dayMs,
      toAt: start - dayMs,
      refreshDays: 14,
    });
    await kept.look();
    await coverAll(kept);

    kept.advance(15 * dayMs);
    await kept.look();

    expect(await kept.waiting()).toEqual([]);
    expect(await kept.ranges()).toEqual([
      { logGroupName: '/app/a', incarnation: 1, from: -2, to: -1, state: 'covered' },
    ]);
  });
});

describe.each(['sqlite', 'postgres'] as const)(
  'log groups that an archive no longer selects, on %s',
  (backend) => {
    test('keep none of the others from a second export', async () => {
      await using kept = await openKeptArchives({ backend });
      kept.seed('/app/z');
      const id = await kept.accept({
        logGroupNamePrefix: '/app/',
        fromAt: start - 2 * dayMs,
        toAt: start - dayMs,
        refreshDays: 3,
      });
      await kept.look();
      await coverAll(kept);
      await addCovered(kept, id, { logGroups: 500, again: 'refresh' });
      await kept.redefine(id, { exceptLogGroupNamePrefixes: ['/app/other'] });

      kept.advance(3 * dayMs);
      await kept.look();

      expect(await kept.waiting()).toMatchObject([{ logGroupName: '/app/z', revision: 2 }]);
    });

    test('do not keep a backfill open', async () => {
      await using kept = await openKeptArchives({ backend });
      kept.seed('/app/z');
      const id = await kept.accept({ logGroupNamePrefix: '/app/', fromAt: start - 2 * dayMs });
      await kept.look();
      await coverAll(kept);
      await addCovered(kept, id, { logGroups: 1, again: null });
      const window = { fromAt: start - 2 * dayMs, toAt: start - dayMs };
      await backfillAll(kept, id, window);
      await kept.redefine(id, { exceptLogGroupNamePrefixes: ['/app/other'] });

      await kept.look();
      await coverAll(kept);

      expect(await backfills(kept)).toMatchObject([{ endedAt: start }]);
    });
  },
);

test('exports the time of a backfill before the archive, and ends the backfill', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  const id = await kept.accept({ logGroupNames: ['/app/a'], fromAt: start - 2 * dayMs });
  await kept.look();
  await coverAll(kept);
  const window = { fromAt: start - 5 * dayMs, toAt: start - 2 * dayMs };
  const order = 'newest';
  await addBackfill(
    kept.database,
    id,
    { logGroupNames: null, ...window, reprocess: 'missing', order },
    approval,
  );

  await kept.look();
  const waiting = await kept.waiting();
  const during = await backfills(kept);
  await coverAll(kept);

  expect(waiting.map(({ day }) => day)).toEqual([-5, -4, -3]);
  expect(during).toMatchObject([{ endedAt: null }]);
  expect(await backfills(kept)).toMatchObject([{ endedAt: start }]);
  expect(await kept.ranges()).toMatchObject([{ from: -5, to: -1, state: 'covered' }]);
});

test('exports covered time again for a backfill of all, with a new revision', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  const id = await kept.accept({ logGroupNames: ['/app/a'], fromAt: start - 4 * dayMs });
  await kept.look();
  await coverAll(kept);
  const window = { fromAt: start - 3 * dayMs, toAt: start - 2 * dayMs };
  await backfillAll(kept, id, window);

  await kept.look();
  const again = await kept.waiting();
  await coverAll(kept);

  expect(again).toMatchObject([{ day: -3, revision: 2 }]);
  expect(await kept.ranges()).toMatchObject([{ from: -4, to: -1, state: 'covered' }]);
  expect(await backfills(kept)).toMatchObject([{ endedAt: start }]);
});

test.each(['sqlite', 'postgres'] as const)(
  'ends a backfill of all when a second export has failed for the last time, on %s',
  async (backend) => {
    await using kept = await openKeptArchives({ backend });
    kept.seed('/app/a');
    const id = await kept.accept({
      logGroupNames: ['/app/a'],
      fromAt: start - 3 * dayMs,
      toAt: start - dayMs,
    });
    await kept.look();
    await coverAll(kept);
    const window = { fromAt: start - 3 * dayMs, toAt: start - dayMs };
    await backfillAll(kept, id, window);
    await kept.look();

    const isEndedAfter: boolean[] = [];
    for (let failure = 1; failure <= 4; failure += 1) {
      for (const { jobId } of await kept.waiting())
        await endJob(kept.database, jobId, { outcome: 'failed', problem: 'export-failed' });
      kept.advance(hourMs / 2);
      await kept.look();
      const [backfill] = await backfills(kept);
      isEndedAfter.push(backfill?.endedAt !== null);
      kept.advance(dayMs);
      await kept.look();
    }

    expect(isEndedAfter).toEqual([false, false, false, true]);
    expect(await kept.partitions()).toMatchObject([{ failures: 4 }, { failures: 4 }]);
  },
);

describe.each(['sqlite', 'postgres'] as const)(
  'second exports that failed for the last time, on %s',
  (backend) => {
    test('keep no later ones of their log group from theirs', async () => {
      await using kept = await openKeptArchives({ backend });
      kept.seed('/app/a');
      const window = { fromAt: start - 11 * dayMs, toAt: start - dayMs };
      const id = await kept.accept({ logGroupNames: ['/app/a'], ...window });
      await kept.look();
      await coverAll(kept);
      await coverAll(kept);
      await backfillAll(kept, id, window);
      await kept.look();

      for (let look = 1; look <= 8; look += 1) {
        for (const { jobId, day } of await kept.waiting())
          await endJob(
            kept.database,
            jobId,
            day < -3 ? { outcome: 'failed', problem: 'export-failed' } : { outcome: 'covered' },
          );
        kept.advance(dayMs);
        await kept.look();
      }

      expect(await kept.summary(id)).toMatchObject({ failedRepeats: 8 });
      const again = (await kept.ranges()).filter((range) => 'again' in range);
      expect(again).toMatchObject([{ from: -11, to: -3, again: 'backfill' }]);
      expect(await backfills(kept)).toMatchObject([{ endedAt: expect.any(Number) }]);
    });

    test('keep no other log group from its own', async () => {
      await using kept = await openKeptArchives({ backend });
      kept.seed('/app/z');
      const window = { fromAt: start - 2 * dayMs, toAt: start - dayMs };
      const id = await kept.accept({ logGroupNamePrefix: '/app/', ...window, refreshDays: 3 });
      await kept.look();
      await coverAll(kept);
      await addCovered(kept, id, { logGroups: 500, again: 'refresh' });
      for (let number = 0; number < 500; number += 1) kept.seed(`/app/other-${number}`);
      await failForGood(kept, id);

      await backfillAll(kept, id, window, ['/app/z']);
      await kept.look();

      expect(await kept.waiting()).toMatchObject([{ logGroupName: '/app/z', revision: 2 }]);
    });

    test('become final when the archive has no second exports any more', async () => {
      await using kept = await openKeptArchives({ backend });
      kept.seed('/app/other-0');
      const fromAt = start - 3 * dayMs;
      const window = { fromAt, toAt: start - dayMs };
      const id = await kept.accept({ logGroupNames: ['/app/other-0'], ...window, refreshDays: 3 });
      await addCovered(kept, id, { logGroups: 1, again: 'refresh' });
      await failForGood(kept, id);
      await kept.look();
      const before = await kept.summary(id);

      await kept.redefine(id, { refreshDays: 0 });
      await kept.look();
      kept.advance(hourMs);
      await kept.look();

      expect(before).toMatchObject({ failedRepeats: 2 });
      expect(await kept.summary(id)).toMatchObject({ failedRepeats: 0 });
    });
  },
);

test('exports only the last days of catchUpDays after a long time down', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  const id = await kept.accept({
    logGroupNames: ['/app/a'],
    fromAt: start - 30 * dayMs,
    catchUpDays: 3,
  });

  await kept.look();

  expect((await kept.waiting()).map(({ day }) => day)).toEqual([-3, -2]);
  expect(await kept.summary(id)).toMatchObject({ partitions: { missing: 27, waiting: 2 } });
});

test('withdraws the export of a time that was waived', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  const id = await kept.accept({ logGroupNames: ['/app/a'], fromAt: start - 3 * dayMs });
  await kept.look();
  const window = { fromAt: start - 3 * dayMs, toAt: start - 2 * dayMs };
  await addWaiver(
    kept.database,
    id,
    { logGroupName: '/app/a', ...window, reason: 'a test' },
    approval,
  );

  await kept.look();

  expect((await kept.waiting()).map(({ day }) => day)).toEqual([-2]);
  expect(await kept.summary(id)).toMatchObject({ watermarkAt: start - 2 * dayMs });
});

test('puts exports into the queue as the archive is defined now', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  const id = await kept.accept({ logGroupNames: ['/app/a'], fromAt: start - 3 * dayMs });
  await kept.look();

  await kept.redefine(id, { destination: 'other', priority: 2, toAt: start - 2 * dayMs });
  await kept.look();

  expect(await kept.waiting()).toMatchObject([{ day: -3, priority: 2, revision: 1 }]);
  const { destination } = await kept.database.queries
    .selectFrom('jobs')
    .innerJoin('slices', 'slices.jobId', 'jobs.id')
    .select('destination')
    .where('state', '=', 'waiting')
    .executeTakeFirstOrThrow();
  expect(destination).toBe('other');
});

const backfills = ({ database }: KeptArchives) =>
  database.queries.selectFrom('archiveBackfills').selectAll().orderBy('number').execute();

test('exports a partition again that is covered while refreshDays grows, on postgres', async () => {
  await using kept = await openKeptArchives({ backend: 'postgres' });
  const { database } = kept;
  kept.seed('/app/a');
  const day = { fromAt: start - 2 * dayMs, toAt: start - dayMs };
  const id = await kept.accept({ logGroupNames: ['/app/a'], ...day });
  await kept.look();
  const [job] = await kept.waiting();
  await startJob(database, job?.jobId ?? '');
  const { definition } = await kept.archive(id);
  // A look is due, so the end of the job does not ask for one.
  await kept.change(id, {});

  const changed = JSON.stringify({ ...JSON.parse(definition), refreshDays: 14 });
  const change = await beginAndHold(database, (queries) =>
    queries.updateTable('archives').set({ definition: changed }).where('id', '=', id).execute(),
  );
  const verdict = endStartedJob(database, job?.jobId ?? '', { outcome: 'covered' });
  await Promise.race([verdict, untilLockIsWaitedFor(database)]);
  await change.commit();
  await verdict;

  expect(await kept.ranges()).toMatchObject([{ state: 'covered', again: 'refresh' }]);
});
