import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { acceptArchive, findArchiveOfKey } from '#archives/store/requests/accept-archive.ts';
import type { Database } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';
import { requestOf } from '../../export-jobs/caller-requests.ts';
import { openStore, storageBackends } from '../../export-jobs/storage-backends.ts';
import { planOfArchive } from '../archives-of-callers.ts';

describe.each(storageBackends)('accepting an archive on %s', (_name, openStorage) => {
  let database: Database;
  beforeAll(async () => {
    database = await openStore(openStorage);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const accepting = (key?: string, digest = 'one') => ({
    archiveId: randomUUID(),
    request: requestOf('anonymous'),
    target: 'default',
    createdAt: Date.UTC(2024, 0, 1),
    keyUse: key === undefined ? undefined : { key, digest },
    plan: planOfArchive(),
  });
  const exists = async (archiveId: string) => {
    const query = database.queries.selectFrom('archives').select('id').where('id', '=', archiveId);
    return (await query.executeTakeFirst()) !== undefined;
  };

  test('returns the archive that another request of the same key has created meanwhile', async () => {
    const acceptances = Array.from({ length: 10 }, () => accepting('ten'));

    const ids = await Promise.all(acceptances.map((each) => acceptArchive(database, each)));

    expect(new Set(ids).size).toBe(1);
    const stored = await Promise.all(acceptances.map(({ archiveId }) => exists(archiveId)));
    expect(stored.filter(Boolean)).toHaveLength(1);
  });

  test('rejects a key that came with another request, and writes nothing', async () => {
    await acceptArchive(database, accepting('twice'));
    const other = accepting('twice', 'another');

    const refused = acceptArchive(database, other);

    await expect(refused).rejects.toMatchObject({ slug: 'idempotency-key-reused' });
    expect(await exists(other.archiveId)).toBe(false);
  });

  test('keeps the keys of callers apart', async () => {
    await acceptArchive(database, accepting('mine'));

    const keyUse = { key: 'mine', digest: 'one' };
    expect(await findArchiveOfKey(database.queries, 'somebody else', keyUse)).toBeUndefined();
    expect(await findArchiveOfKey(database.queries, 'anonymous', keyUse)).toBeDefined();
  });

  describe('a database failure at COMMIT', () => {
    const away = new Problem('database-unavailable', 'The database does not answer.');
    const losing = (afterCommit: boolean, failure: Error = away): Database => ({
      ...database,
      async transaction(act) {
        if (afterCommit) await database.transaction(act);
        throw failure;
      },
    });

    test('returns the archive if COMMIT took effect', async () => {
      const acceptance = accepting();

      const archiveId = await acceptArchive(losing(true), acceptance);

      expect(archiveId).toBe(acceptance.archiveId);
      expect(await exists(archiveId)).toBe(true);
    });

    test('rejects with the failure if COMMIT had no effect', async () => {
      await expect(acceptArchive(losing(false), accepting())).rejects.toBe(away);
    });

    test('rejects with a failure that is not of the connection', async () => {
      const failure = new Error('disk full');

      await expect(acceptArchive(losing(true, failure), accepting())).rejects.toBe(failure);
    });

    test('rejects with the failure if the database stays unreachable', async () => {
      const closed = await openStore(async () => ({}));
      await closed[Symbol.asyncDispose]();
      const { queries } = closed;

      const accepted = acceptArchive({ ...losing(true), queries }, accepting());

      await expect(accepted).rejects.toBe(away);
    });
  });
});
