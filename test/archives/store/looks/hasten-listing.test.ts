import { expect, test } from 'vitest';

import { hastenListing } from '#archives/store/looks/hasten-listing.ts';
import { planOf, recordStatements } from '../../../database/query-plans.ts';
import { openStore, storageBackends } from '../../../export-jobs/storage-backends.ts';
import { acceptTestArchive } from '../../keeper/accept-test-archive.ts';

const [[, openSqlite]] = storageBackends as [(typeof storageBackends)[number]];

test('the archive that lists next is found without a search for each archive that waits', async () => {
  await using store = await openStore(openSqlite);
  const { database, statements } = recordStatements(store);
  const id = await acceptTestArchive(store, { logGroupNamePrefix: '/app/' });

  await hastenListing(database, { id, target: 'default' }, { listEveryMs: 1, soonMs: 1 });

  const [plan = []] = await Promise.all(statements.map((each) => planOf(store, each)));
  expect(plan.filter((line) => /CORRELATED|SCAN (archives|own)\b/.test(line))).toEqual([]);
  const searches = plan.filter((line) => /SEARCH (archives|own)\b/.test(line));
  expect(searches).toEqual([
    expect.stringContaining('archives_due'),
    expect.stringContaining('archives_of_caller (caller=?)'),
    expect.stringContaining('(id=?)'),
  ]);
});
