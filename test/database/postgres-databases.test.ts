import { expect, test } from 'vitest';

import { postgresUrl } from '../postgres-databases.ts';
import { openReady } from '../ready-database.ts';

test('a database of a test has no rows of another test, and no other test has it', async () => {
  const inUse = await postgresUrl();
  await using _open = await openReady({ databaseUrl: inUse, dataDir: '' });
  const given: string[] = [];

  for (let round = 0; round < 5; round += 1) {
    const databaseUrl = await postgresUrl();
    given.push(databaseUrl);
    await using database = await openReady({ databaseUrl, dataDir: '' });
    const { queries, now } = database;
    expect(await queries.selectFrom('auditEntries').selectAll().execute()).toEqual([]);
    expect(await queries.selectFrom('purge').select('owner').execute()).toEqual([{ owner: null }]);
    const entry = {
      target: 'a',
      principal: 'a',
      action: 'VerifyExport',
      requestId: 'b',
      outcome: 'ok',
    } as const;
    await queries
      .insertInto('auditEntries')
      .values({ ...entry, at: now(), policies: '[]' })
      .execute();
    await queries.updateTable('purge').set({ owner: 'a test' }).execute();
  }

  expect(given).not.toContain(inUse);
});
