import type { Database } from '#database/database.ts';
import { hourMs } from '#time/durations.ts';

// Older rows are of replicas that were killed. Lower: rows are deleted that still tell of a short
// outage. Higher: the table grows with each kill.
const forgottenAfterMs = hourMs;

/** Notes that a replica is alive. It counts as alive for one lease. */
export async function noteAlive({ queries, now }: Database, owner: string): Promise<void> {
  await queries
    .insertInto('replicas')
    .values({ owner, seenAt: now() })
    .onConflict((known) => known.column('owner').doUpdateSet({ seenAt: now() }))
    .execute();
}

/** Removes a replica that stops, and those that were killed long ago. */
export async function leave({ queries, now }: Database, owner: string): Promise<void> {
  await queries
    .deleteFrom('replicas')
    .where((row) =>
      row.or([row('owner', '=', owner), row('seenAt', '<', row(now(), '-', forgottenAfterMs))]),
    )
    .execute();
}
