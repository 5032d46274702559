import { describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { holdLease, type Lease, takeLease } from '#export-jobs/store/steps/hold-lease.ts';
import { renewLeases } from '#export-jobs/store/steps/renew-leases.ts';
import { openStore, storageBackends } from '../storage-backends.ts';
import { beginAndHold } from './concurrent-transactions.ts';

const at = 1_714_521_600_000;
const leaseMs = 30_000;

async function take(database: Database, target: string, owner = 'me'): Promise<Lease> {
  const place = { accountId: '1', region: 'r' };
  const { lease } = await takeLease(database, { target, ...place, owner, leaseMs });
  if (!lease) throw new Error('The slot is taken.');
  return lease;
}

const endsOf = async ({ queries }: Database) =>
  Object.fromEntries(
    (await queries.selectFrom('slots').select(['target', 'leasedUntil']).execute()).map(
      ({ target, leasedUntil }) => [target, leasedUntil - at],
    ),
  );

describe.each(storageBackends)('the leases of a process, in %s', (_name, openStorage) => {
  test('are renewed together, by the clock of the database, and no others', async () => {
    let now = at;
    await using database = await openStore(openStorage, () => now);
    const leases = [await take(database, 'a'), await take(database, 'b')];
    await take(database, 'c');
    await take(database, 'd', 'other');
    now += 10_000;

    const renewal = await renewLeases(database, 'me', leases, leaseMs);

    expect(renewal).toEqual({ lost: [], now });
    expect(await endsOf(database)).toEqual({ a: 40_000, b: 40_000, c: 30_000, d: 30_000 });
  });

  test('that another owner has taken, or the same one again, are lost', async () => {
    let now = at;
    await using database = await openStore(openStorage, () => now);
    const leases = [
      await take(database, 'a'),
      await take(database, 'b'),
      await take(database, 'c'),
    ];
    await take(database, 'b');
    now += leaseMs;
    await take(database, 'c', 'other');

    const { lost } = await renewLeases(database, 'me', leases, leaseMs);

    expect(lost.map(({ target }) => target)).toEqual(['b', 'c']);
    expect(await endsOf(database)).toMatchObject({ a: 60_000, c: 60_000 });
  });
});

test('a transaction that holds one lease keeps no other one from being renewed, and loses none', async () => {
  const [, openPostgres] = storageBackends[1] ?? [];
  if (!openPostgres) throw new Error('There is no PostgreSQL.');
  let now = at;
  await using database = await openStore(openPostgres, () => now);
  const leases = [await take(database, 'a'), await take(database, 'b')];
  const [held] = leases;
  const writing = await beginAndHold(database, (queries) =>
    holdLease(queries, database, held as Lease, leaseMs),
  );
  now += 10_000;

  const { lost } = await renewLeases(database, 'me', leases, leaseMs);
  await writing.commit();

  expect(lost).toEqual([]);
  expect(await endsOf(database)).toEqual({ a: 30_000, b: 40_000 });
});
