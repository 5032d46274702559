import { expect, test } from 'vitest';

import { nextRevision } from '#archives/store/partitions/next-revision.ts';
import { insertCoverage } from '../../coverage/insert-coverage.ts';
import { openStore, storageBackends } from '../../export-jobs/storage-backends.ts';

const hourMs = 3_600_000;

test.each(storageBackends)(
  'on %s, a partition whose end had expired does not count in the next one',
  async (_name, openStorage) => {
    await using database = await openStore(openStorage);
    const ofArchive = { archiveId: 'archive', incarnation: 1 };
    const expired = { fromAt: hourMs, toAt: hourMs };
    await insertCoverage(database, [{ jobId: 'expired', ...ofArchive, ...expired }]);

    const next = { archiveId: 'archive', logGroupName: '/app', partitionBy: 'hour' } as const;
    const window = { fromAt: hourMs, toAt: 2 * hourMs };

    expect(await nextRevision(database.queries, { ...next, ...window })).toBe(1);
  },
);
