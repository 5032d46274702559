import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { makeArchiveAccess } from '#archives/access/archive-access.ts';
import { makeArchiveBackfills } from '#archives/operations/backfill-archives.ts';
import { makeReadArchiveGrid } from '#archives/operations/read-archive-grid.ts';
import { makeReadUrgentRuns } from '#archives/operations/read-urgent-runs.ts';
import { findArchive } from '#archives/store/reads/read-archives.ts';
import { addBackfill } from '#archives/store/requests/add-backfill.ts';
import { openToAll } from '#auth/access.ts';
import type { Database } from '#database/database.ts';
import { approvalOf, requestOf } from '../../export-jobs/caller-requests.ts';
import { openStore } from '../../export-jobs/storage-backends.ts';
import { givenArchive, givenLogGroup, summaryOf } from '../archives-of-callers.ts';

const dayMs = 86_400_000;
const newYear = Date.UTC(2024, 0, 1);
const now = newYear + 10 * dayMs;

let database: Database;
beforeEach(async () => {
  database = await openStore(
    async () => ({}),
    () => now,
  );
});
afterEach(() => database[Symbol.asyncDispose]());

const { authorizer } = openToAll;
const anyone = requestOf('anonymous');
const accessWithoutTargets = () =>
  makeArchiveAccess({ database, authorizer, targets: { look: () => undefined } });
const stored = async (id: string) => {
  const archive = await findArchive(database.queries, id);
  if (!archive) throw new Error('The archive was just accepted.');
  return archive;
};
const backfill = {
  fromAt: newYear - 5 * dayMs,
  toAt: newYear,
  logGroupNames: null,
  reprocess: 'missing',
  order: 'oldest',
} as const;

describe('the access to archives', () => {
  test('finds an archive of a target that is configured no more, and no other', async () => {
    const id = await givenArchive(database, {
      definition: { logGroupNames: null, logGroupNamePrefix: null },
    });
    const access = accessWithoutTargets();

    const found = await access.find(anyone, 'ReadArchive', id);
    const refused = access.find(anyone, 'ReadArchive', 'none');

    expect(found).toMatchObject({ archive: { id }, target: { name: 'default', accountId: '' } });
    await expect(refused).rejects.toMatchObject({ slug: 'archive-not-found' });
  });
});

describe('the backfills of archives', () => {
  test('counts the partitions of more log groups than one part of the ledger has', async () => {
    const id = await givenArchive(database, {
      definition: { logGroupNames: null, logGroupNamePrefix: '/app', fromAt: newYear },
    });
    for (let index = 0; index < 101; index += 1)
      await givenLogGroup(database, id, { logGroupName: `/app/${index}` });
    const access = accessWithoutTargets();
    const backfills = makeArchiveBackfills({ authorizer, database, access, announce() {} });
    const body = { from: '2023-12-30T00:00:00Z', to: '2024-01-01T00:00:00Z' };

    const plan = await backfills.plan(anyone, id, body);
    const ofOne = await backfills.plan(anyone, id, {
      ...body,
      logGroupNames: ['/app/7'],
    });

    expect(plan).toMatchObject({ partitions: 202 });
    expect(ofOne).toMatchObject({ partitions: 2 });
  });
});

describe('the grid of an archive', () => {
  test('begins with the earliest backfill, and marks deleted log groups', async () => {
    const id = await givenArchive(database);
    await givenLogGroup(database, id, { goneAt: newYear + dayMs });
    await addBackfill(database, id, backfill, approvalOf('anonymous'));

    const grid = await makeReadArchiveGrid(database, accessWithoutTargets())(
      anyone,
      await stored(id),
      {},
    );

    expect(grid.whole).toEqual({ fromAt: backfill.fromAt, toAt: now + dayMs });
    expect(grid.rows).toMatchObject([{ logGroupName: '/app', isGone: true }]);
  });

  test('has no rows without log groups, nor after the last one', async () => {
    const id = await givenArchive(database);
    const readGrid = makeReadArchiveGrid(database, accessWithoutTargets());

    const empty = await readGrid(anyone, await stored(id), {});
    await givenLogGroup(database, id);
    const after = await readGrid(anyone, await stored(id), { fromGroup: 5 });

    expect(empty).toMatchObject({ rows: [], logGroups: 0, previousGroup: 0 });
    expect(after).toMatchObject({ rows: [], logGroups: 1 });
  });

  test('shows a part of the time, with what is before and after it', async () => {
    const id = await givenArchive(database);
    const covered = { fromAt: newYear + 2 * dayMs, toAt: newYear + 3 * dayMs };
    await givenLogGroup(database, id, {}, [covered]);

    const grid = await makeReadArchiveGrid(database, accessWithoutTargets())(
      anyone,
      await stored(id),
      {
        fromAt: newYear + 2 * dayMs,
        toAt: newYear + 4 * dayMs,
      },
    );

    expect(grid.columns).toHaveLength(2);
    expect(grid.rows[0]?.cells.map(({ coveredShare }) => coveredShare)).toEqual([1, 0]);
    expect(grid.earlier).toEqual({ fromAt: newYear, toAt: newYear + 2 * dayMs });
    expect(grid.later).toEqual({ fromAt: newYear + 4 * dayMs, toAt: newYear + 6 * dayMs });
  });
});

describe('the urgent partitions of an archive', () => {
  test('returns no urgent partitions of an archive that is gone, or that no look has seen', async () => {
    const readRuns = makeReadUrgentRuns(database, accessWithoutTargets(), () => 0);
    const archive = await stored(await givenArchive(database));

    expect(await readRuns(anyone, { ...archive, id: 'gone' })).toEqual([]);
    expect(await readRuns(anyone, archive)).toEqual([]);
  });

  test('returns only the first twenty of thirty lost partitions', async () => {
    const id = await givenArchive(database);
    const partitions = { ...summaryOf().partitions, lost: 30 };
    await database.queries
      .updateTable('archives')
      .set({ summary: JSON.stringify(summaryOf({ partitions })) })
      .where('id', '=', id)
      .execute();
    const lost = Array.from({ length: 30 }, (_, index) => ({
      fromAt: newYear - (2 * index + 2) * dayMs,
      toAt: newYear - (2 * index + 1) * dayMs,
      state: 'lost' as const,
      cause: 'retention',
    }));
    await givenLogGroup(database, id, {}, lost);

    const runs = await makeReadUrgentRuns(
      database,
      accessWithoutTargets(),
      () => 0,
    )(anyone, await stored(id));

    expect(runs).toHaveLength(20);
    expect(new Set(runs.map(({ state }) => state))).toEqual(new Set(['lost']));
  });
});
