import type { Queries } from '#database/database.ts';
import type { EventType } from '#notifications/event.ts';
import { recordEvent } from '#notifications/record-event.ts';
import type { ArchiveSummary } from '../archive.ts';
import { stateOf } from '../partitions/archive-state.ts';
import type { Look } from './look.ts';

/** The types of events of archives. */
export type ArchiveEventType = Extract<EventType, `archive.${string}`>;

/** Records an event that a look has found, in the transaction that ends the look. */
export function recordArchiveEvent(
  { archive, database }: Pick<Look, 'archive' | 'database'>,
  queries: Queries,
  { type, version, summary }: { type: ArchiveEventType; version: number; summary: ArchiveSummary },
): Promise<void> {
  const { id: archiveId, target, name, principal } = archive;
  const subject = { caller: principal.id, target, archiveId, version };
  const data = { state: stateOf(archive, summary), name };
  return recordEvent(queries, database, subject, async () => ({ type, data }));
}
