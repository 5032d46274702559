import type { Selectable } from 'kysely';

import type { NotificationEventRow } from '#database/rows/notification-rows.ts';
import { toDateTime } from '#time/date-time.ts';

type StoredEvent = Selectable<NotificationEventRow>;

/**
 * Writes the body of a message for webhooks. It names what has changed, and where to read it; it has nothing
 * that only an authorized caller may read.
 */
export function webhookBody(event: StoredEvent, basePath: string): string {
  const { type, at } = event;
  return JSON.stringify({ type, timestamp: toDateTime(at), data: dataOf(event, basePath) });
}

/** The same for a topic or an event bus, which have no headers of ours, and get the events of all callers. */
export function sinkBody(event: StoredEvent, basePath: string): string {
  const { id, type, at, caller } = event;
  const data = { ...dataOf(event, basePath), caller };
  return JSON.stringify({ id, type, timestamp: toDateTime(at), data });
}

function dataOf(event: StoredEvent, basePath: string): object {
  const { jobId, archiveId, target, version, data } = event;
  const path = pathOf(event);
  return {
    ...(jobId !== null && { jobId }),
    ...(archiveId !== null && { archiveId }),
    ...(target !== null && { target }),
    version,
    ...(JSON.parse(data) as object),
    ...(path !== undefined && { url: `${basePath}${path}` }),
  };
}

function pathOf({ jobId, archiveId }: StoredEvent): string | undefined {
  if (jobId !== null) return `/export-jobs/${jobId}`;
  return archiveId === null ? undefined : `/archives/${archiveId}`;
}
