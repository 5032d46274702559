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

// How long a sink that no replica confirms stays. Shorter: a replica that was frozen loses events of its sinks.
// Longer: events are recorded for longer after the operator has removed the last one.
const staleAfterMs = 300_000;
const rowsPerStatement = 500;

/**
 * Confirms the sinks of this replica in the database, so that every replica records their events. Those that no
 * replica has confirmed for five minutes are removed: replicas may have different settings during a change.
 */
export async function confirmSinks(
  { queries, now }: Database,
  sinks: readonly Sink[],
): Promise<void> {
  for await (const chunk of inChunks(sinks, rowsPerStatement)) {
    await queries
      .insertInto('notificationSinks')
      .values(
        chunk.map((sink) => ({
          destination: destinationOf(sink),
          target: sink.target,
          confirmedAt: now(),
        })),
      )
      .onConflict((conflict) => conflict.column('destination').doUpdateSet({ confirmedAt: now() }))
      .execute();
  }
  await queries
    .deleteFrom('notificationSinks')
    .where((row) => row('confirmedAt', '<', row(now(), '-', staleAfterMs)))
    .execute();
}
