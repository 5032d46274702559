import type { LogEvent } from '../../log-groups.ts';

/** EventsLimit of the service model; an absent limit means its maximum. */
export const eventsLimit = { min: 1, max: 10_000 };

/** Bytes of messages in one answer (documentation). */
const maxPageBytes = 1_048_576;

/** Where a page of events that begins at `start` ends: by their number or their bytes. */
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
