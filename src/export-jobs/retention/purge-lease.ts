import type { Database, Queries } from '#database/database.ts';

// Shorter: a slow transaction, or the wait for a job that was just deleted, gives the purge to another
// replica. Longer: after a kill, nothing is deleted for longer, which nobody notices.
const leaseMs = 180_000;

/**
 * Takes or renews the right to delete old rows, for one replica at a time, and locks it until the
 * transaction ends. It is the first statement of every transaction of the purge. Returns the time on the
 * database's clock; `undefined` when another replica has the lease.
 */
export async function holdPurgeLease(
  queries: Queries,
  { now }: Pick<Database, 'now'>,
  owner: string,
): Promise<number | undefined> {
  const held = await queries
    .updateTable('purge')
    .set((row) => ({ owner, leasedUntil: row(now(), '+', leaseMs) }))
    .where((row) =>
      row.or([
        row('owner', 'is', null),
        row('owner', '=', owner),
        row('leasedUntil', '<=', now()),
        // No valid lease is that long: the clock was set back.
        row('leasedUntil', '>', row(now(), '+', leaseMs)),
      ]),
    )
    .returning('leasedUntil')
    .executeTakeFirst();
  return held && held.leasedUntil - leaseMs;
}

/** Releases the lease, if this replica has it. */
export async function releasePurgeLease({ queries }: Database, owner: string): Promise<void> {
  await queries.updateTable('purge').set({ owner: null }).where('owner', '=', owner).execute();
}
