import { afterAll, expect, test } from 'vitest';

import { readBackfills } from '#archives/store/partitions/read-backfills.ts';
import { insertArchive } from '../../coverage/insert-archive.ts';
import { emptyStorage } from '../../database/homes.ts';
import { openReady } from '../../ready-database.ts';

const hourMs = 3_600_000;

test.each(['sqlite', 'postgres'] as const)(
  'reads all backfills in their order, and only names that are log groups of the archive, on %s',
  async (backend) => {
    await using database = await openReady(await emptyStorage(backend, afterAll));
    const logGroups = ['/app/a', '/app/b', '/app/c'].map((logGroupName) => ({ logGroupName }));
    const archiveId = await insertArchive(database, { logGroups });
    const count = 50;
    const named = JSON.stringify(['/app/none', '/app/b', '/app/a', '/app/other']);
    const rows = Array.from({ length: count }, (_, index) => ({
      archiveId,
      number: count - index,
      logGroupNames: index % 2 === 0 ? null : named,
      fromAt: 0,
      toAt: hourMs,
      reprocess: 'missing' as const,
      serveOrder: 'oldest' as const,
      requestedAt: 0,
      caller: 'ann',
      requestId: 'a',
      endedAt: null,
    }));
    await database.queries.insertInto('archiveBackfills').values(rows).execute();

    const all = await readBackfills(database.queries, archiveId);
    const ofOne = await readBackfills(database.queries, archiveId, '/app/b');

    expect(all.map(({ number }) => number)).toEqual(rows.map(({ number }) => number).reverse());
    expect(all.slice(0, 2).map(({ logGroupNames }) => logGroupNames)).toEqual([
      ['/app/b', '/app/a'],
      null,
    ]);
    expect(ofOne.slice(0, 2).map(({ logGroupNames }) => logGroupNames)).toEqual([['/app/b'], null]);
  },
);
