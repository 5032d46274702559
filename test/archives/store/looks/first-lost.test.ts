import { expect, test } from 'vitest';

import { putRange } from '#coverage/ledger/put-range.ts';
import { planOf, recordStatements } from '../../../database/query-plans.ts';
import { dayMs, openKeptArchives, start } from '../../keeper/kept-archives.ts';

test('a look finds the first lost time of each log group in an index', async () => {
  await using kept = await openKeptArchives();
  kept.seed('/app/a');
  const id = await kept.accept({ logGroupNames: ['/app/a'], fromAt: start - 9 * dayMs });
  await kept.look();
  const key = {
    archiveId: id,
    logGroupName: '/app/a',
    incarnation: 1,
    partitionBy: 'day' as const,
  };
  const put = (state: 'covered' | 'lost', from: number, to: number) => {
    const facts = { state, isEmpty: 0, again: null, cause: null } as const;
    const range = { ...facts, fromAt: start + from * dayMs, toAt: start + to * dayMs };
    return kept.database.transaction((queries) => putRange(queries, key, range));
  };
  await put('covered', -9, -7);
  await put('lost', -7, -6);
  await put('lost', -5, -4);
  await kept.change(id, {});

  const { database, statements } = recordStatements(kept.database);
  await kept.look({ database });

  expect(await kept.summary(id)).toMatchObject({ watermarkAt: start - 7 * dayMs });
  const plans = await Promise.all(statements.map((each) => planOf(kept.database, each)));
  const searches = plans.flat().filter((line) => line.includes('archive_ranges_by_state'));
  expect(searches.length).toBeGreaterThan(0);
  for (const line of searches) expect(line).toContain('log_group_name=? AND incarnation=?');
});
