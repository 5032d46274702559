import { expect, test } from 'vitest';

import { recordListed } from '#archives/store/log-groups/record-listing.ts';
import { putRange } from '#coverage/ledger/put-range.ts';
import { insertArchive, readLedger } from '../../coverage/insert-archive.ts';
import { insertCoverage } from '../../coverage/insert-coverage.ts';
import { openStore, storageBackends } from '../../export-jobs/storage-backends.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

test.each(storageBackends)(
  'on %s, an export of a replaced log group gives way to earlier ones in its time range only',
  async (_name, openStorage) => {
    await using database = await openStore(openStorage);
    const archiveId = await insertArchive(database, { definition: { partitionBy: 'day' } });
    const ofArchive = { archiveId, logGroupName: '/app', incarnation: 1 };
    const ledger = { ...ofArchive, partitionBy: 'day' as const };
    const lost = { fromAt: 0, toAt: 5 * hourMs };
    const rest = { fromAt: 5 * hourMs, toAt: dayMs };
    const covered = { state: 'covered', isEmpty: 0, again: null, cause: null } as const;
    const expired = { ...covered, state: 'lost', cause: 'retention' } as const;
    await insertCoverage(database, [
      { jobId: 'early', ...ofArchive, fromAt: 0, toAt: dayMs, exportedAt: 2 * dayMs, isEmpty: 1 },
      { jobId: 'late', ...ofArchive, ...rest, exportedAt: 4 * dayMs, revision: 2 },
    ]);
    await database.transaction(async (queries) => {
      await putRange(queries, ledger, { ...lost, ...expired });
      await putRange(queries, ledger, { ...rest, ...covered });
    });

    const listing = { archiveId, beganAt: 5 * dayMs, partitionBy: 'day' as const };
    const createdAgain = { logGroupName: '/app', creationTime: 3 * dayMs };
    await database.transaction((queries) => recordListed(queries, listing, [createdAgain]));

    expect(await readLedger(database)).toEqual([
      { ...ofArchive, ...lost, ...expired },
      { ...ofArchive, ...rest, ...covered, isEmpty: 1 },
    ]);
  },
);
