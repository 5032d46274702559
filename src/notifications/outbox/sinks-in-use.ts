import { sql } from 'kysely';

import type { SinkKind } from '#aws/sinks/sink-calls.ts';
import type { Database } from '#database/database.ts';
import { inChunks } from '#paging/in-chunks.ts';

/** A topic or an event bus of a target. */
export interface Sink {
  target: string;
  kind: SinkKind;
}

/** The name of a sink among the destinations of deliveries. The id of a webhook endpoint has no colon. */
export const destinationOf = ({ target, kind }: Sink): string => `${kind}:${target}`;

/** Reads that name; undefined for the id of a webhook endpoint. */
export function readSink(destination: string): Sink | undefined {
  const [kind, ...rest] = destination.split(':');
  if (rest.length === 0) return undefined;
  return { kind: kind as SinkKind, target: rest.join(':') };
}

/** The row among the sinks that says that a replica sends webhooks. No target has an empty name. */
const webhooks = { destination: 'webhooks', target: '' };

/** Whether a replica sends webhooks. */
export const webhooksAreInUse = sql<boolean>`exists (
  select 1 from notification_sinks as sinks where sinks.destination = ${sql.lit(webhooks.destination)}
)`;

// How long a row that no replica confirms stays. Shorter: a replica that was frozen loses its events. Longer: events
// are stored for longer after the operator has removed the last sink, or switched webhooks off.
const staleAfterMs = 300_000;
const rowsPerStatement = 500;

/**
 * Confirms in the database what this replica sends to: its sinks, and webhooks. So every replica stores events for
 * them. What no replica has confirmed for five minutes is removed. Settings can differ during a change.
 */
export async function confirmSinks(
  { queries, now }: Database,
  sinks: readonly Sink[],
  hasWebhooks = false,
): Promise<void> {
  const ofSinks = sinks.map((sink) => ({ destination: destinationOf(sink), target: sink.target }));
  const rows = hasWebhooks ? [webhooks, ...ofSinks] : ofSinks;
  for await (const chunk of inChunks(rows, rowsPerStatement)) {
    await queries
      .insertInto('notificationSinks')
      .values(chunk.map((row) => ({ ...row, confirmedAt: now() })))
      .onConflict((conflict) => conflict.column('destination').doUpdateSet({ confirmedAt: now() }))
      .execute();
  }
  await queries
    .deleteFrom('notificationSinks')
    .where((row) => row('confirmedAt', '<', row(now(), '-', staleAfterMs)))
    .execute();
}
