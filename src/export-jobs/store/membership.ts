import { sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import type { BackOffLimits } from '#time/back-off.ts';
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

/**
 * Notes that a replica lets others go first at a slot: it could not work it. If it is tried again after that and
 * fails, it does so for twice as long. The transaction must have locked the slot.
 */
export async function standBack(
  queries: Queries,
  { now }: Pick<Database, 'now'>,
  { target, owner }: { target: string; owner: string },
  { firstMs, maxMs }: BackOffLimits,
): Promise<void> {
  // Who did not fail again for as long as it stood back begins anew. So the rows of a target stay few.
  await queries
    .deleteFrom('standBacks')
    .where('target', '=', target)
    .where((row) => row(row('endsAt', '+', row.ref('forMs')), '<=', now()))
    .execute();
  const nextMs = sql<number>`case when stand_backs.ends_at > ${now()} or 2 * stand_backs.for_ms > ${sql.lit(maxMs)}
    then stand_backs.for_ms else 2 * stand_backs.for_ms end`;
  const { endsAt } = await queries
    .insertInto('standBacks')
    .values((row) => ({ target, owner, forMs: firstMs, endsAt: row(now(), '+', firstMs) }))
    .onConflict((known) =>
      known
        .columns(['target', 'owner'])
        .doUpdateSet({ forMs: nextMs, endsAt: sql`${now()} + ${nextMs}` }),
    )
    .returning('endsAt')
    .executeTakeFirstOrThrow();
  await queries
    .updateTable('slots')
    .set({ stoodBack: owner, stoodBackUntil: endsAt })
    .where('target', '=', target)
    .execute();
}

/** Removes a replica that stops, and those that were killed long ago. */
export async function leave({ queries, now }: Database, owner: string): Promise<void> {
  await queries.deleteFrom('standBacks').where('owner', '=', owner).execute();
  await queries
    .deleteFrom('replicas')
    .where((row) =>
      row.or([row('owner', '=', owner), row('seenAt', '<', row(now(), '-', forgottenAfterMs))]),
    )
    .execute();
}
