import type { LogEvent } from '../../log-groups.ts';

/** EventsLimit of the service model. Default: the maximum. */
export const eventsLimit = { min: 1, max: 10_000 };

/** Where an event stands in its group. Events that are put, expire or disappear later do not move it. */
export interface EventPlace {
  timestamp: number;
  logStreamName: string;
  /** Number of the event in its stream, by arrival. */
  number: number;
}

/** Compares places by time, then by stream and arrival. */
export function byPlace(one: EventPlace, other: EventPlace): number {
  if (one.timestamp !== other.timestamp) return one.timestamp - other.timestamp;
  if (one.logStreamName === other.logStreamName) return one.number - other.number;
  return one.logStreamName < other.logStreamName ? -1 : 1;
}

/** Maximum bytes of messages in one answer (documentation). */
const maxPageBytes = 1_048_576;

/** Returns the end of a page of events that begins at `start`, limited by number and by bytes. */
export function pageEnd(
  events: readonly Pick<LogEvent, 'message'>[],
  start: number,
  limit: number,
): number {
  let bytes = 0;
  for (let at = start; at < events.length; at += 1) {
    bytes += Buffer.byteLength(events[at]?.message ?? '');
    const isFull = at - start === limit || (at > start && bytes > maxPageBytes);
    if (isFull) return at;
  }
  return events.length;
}
