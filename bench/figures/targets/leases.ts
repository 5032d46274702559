import type { Database } from '#database/database.ts';

/** The targets whose slots each owner has leased. */
export type Leases = Map<string, string[]>;

/** Reads the valid leases. */
export async function readLeases({ queries, now }: Database): Promise<Leases> {
  const rows = await queries
    .selectFrom('slots')
    .select(['owner', 'target'])
    .where('owner', 'is not', null)
    .where((row) => row('leasedUntil', '>', now()))
    .execute();
  const leases: Leases = new Map();
  for (const { owner, target } of rows) {
    leases.set(owner ?? '', [...(leases.get(owner ?? '') ?? []), target]);
  }
  return leases;
}

/** Reads the owners that have ever been alive and have not stopped. */
export async function readReplicas({ queries }: Database): Promise<string[]> {
  const rows = await queries.selectFrom('replicas').select('owner').execute();
  return rows.map(({ owner }) => owner);
}
