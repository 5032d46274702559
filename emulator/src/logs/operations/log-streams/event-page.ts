import type { LogEvent } from '../../log-groups.ts';

/** EventsLimit of the service model. Default: the maximum. */
export const eventsLimit = { min: 1, max: 10_000 };

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
