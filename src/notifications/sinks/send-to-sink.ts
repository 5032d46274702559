import type { SinkArns, SinkCalls, SinkKind } from '#aws/sinks/sink-calls.ts';
import { Problem } from '#problems/problem.ts';
import type { ClaimedDelivery } from '../deliveries/tries/claim-delivery.ts';
import type { DeliveryResult } from '../deliveries/tries/delivery-result.ts';
import type { Sink } from '../outbox/sinks-in-use.ts';

/** The targets, as far as their topics and event buses need them. */
interface SinkTargets {
  /** @throws Problem while the target is not ready */
  find(name: string): { sinks: SinkCalls; sinkArns: SinkArns };
  /** The targets that have a topic or an event bus, by their present settings. */
  listSinks(): { target: string; kinds: SinkKind[] }[];
}

/** What sending to a topic or an event bus needs. */
export interface SinkOptions {
  targets: SinkTargets;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

/** Sends a message to the topic or the event bus of a target, with the credentials of the target. It never rejects. */
export async function sendToSink(
  { targets, elapsed }: SinkOptions,
  { target: name, kind }: Sink,
  { eventId: id, type, at, jobId, archiveId, body }: ClaimedDelivery,
): Promise<DeliveryResult> {
  const beganAt = elapsed();
  const end = (result: Omit<DeliveryResult, 'durationMs'>) => ({
    ...result,
    durationMs: elapsed() - beganAt,
  });
  try {
    const { sinks, sinkArns } = targets.find(name);
    const arn = sinkArns[kind];
    if (arn === undefined) return end({ outcome: 'failed', reason: 'not configured' });
    const message = { id, type, at, target: name, group: jobId ?? archiveId ?? id, body };
    await (kind === 'sns' ? sinks.publish(arn, message) : sinks.putEvent(arn, message));
    return end({ outcome: 'delivered' });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return end({ outcome: 'failed', reason: error.members.awsErrorCode ?? error.slug });
  }
}
