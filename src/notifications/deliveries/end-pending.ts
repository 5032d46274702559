import { sql } from 'kysely';
import type { Database } from '#database/database.ts';
import { engineSql } from '#database/engine-sql.ts';
import { readSink, webhooksAreInUse } from '../outbox/sinks-in-use.ts';
import { wherePending } from './pending-deliveries.ts';

// In one statement. More: a backlog of a hundred thousand takes longer than the time limit of PostgreSQL, and other
// requests wait for SQLite. Fewer: more statements.
const maxAtOnce = 1_000;

/**
 * Ends pending deliveries of a destination that gets no more. One that is being sent ends, too: its result is
 * ignored. Returns whether more of them can be left.
 */
export async function endPending(database: Database, destination: string): Promise<boolean> {
  const { queries, now, kind } = database;
  const error = await whyClosed(database, destination);
  const { numAffectedRows } = await sql`
    with next as materialized (
      select event_id from deliveries where ${wherePending} and destination = ${destination}
      and not exists (
        select 1 from webhook_endpoints where id = ${destination} and disabled_at is null and ${webhooksAreInUse}
      )
      and not exists (select 1 from notification_sinks as sinks where sinks.destination = ${destination})
      order by due_at limit ${sql.lit(maxAtOnce)}
      ${engineSql[kind].skipLocked}
    )
    update deliveries set state = 'failed', error = ${error}, ended_at = ${now()}, owner = null
    from next where deliveries.destination = ${destination} and deliveries.event_id = next.event_id
  `.execute(queries);
  return Number(numAffectedRows ?? 0) === maxAtOnce;
}

/** Why a destination gets no more. */
async function whyClosed({ queries }: Database, destination: string): Promise<string> {
  if (readSink(destination)) return 'removed from the configuration';
  const endpoint = await queries
    .selectFrom('webhookEndpoints')
    .select(['disabledAt', 'disabledReason'])
    .where('id', '=', destination)
    .executeTakeFirst();
  if (!endpoint) return 'endpoint deleted';
  if (endpoint.disabledAt === null) return 'webhooks switched off';
  return endpoint.disabledReason === 'gone' ? 'endpoint gone' : 'endpoint disabled';
}
