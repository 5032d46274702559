import type { Insertable } from 'kysely';

import type { ArchiveDefinition, ArchiveSummary } from '#archives/archive.ts';
import type { ArchiveRow } from '#database/rows/archive-rows.ts';

/** 1 May 2024. */
export const archiveStart = Date.UTC(2024, 4, 1);

const definition: ArchiveDefinition = {
  logGroupNames: null,
  logGroupNamePrefix: '/secret-log-group',
  exceptLogGroupNamePrefixes: [],
  partitionBy: 'day',
  fromAt: archiveStart,
  toAt: null,
  destination: 'secret-bucket',
  destinationPrefix: 'secret/{logGroup}/{yyyy}/{MM}/{dd}/{attempt}',
  priority: -5,
  refreshDays: 0,
  catchUpDays: null,
  verification: 'objects',
  heartbeatUrl: null,
  isOverloadAllowed: false,
};

const partitions: ArchiveSummary['partitions'] = {
  open: 3,
  waiting: 2,
  running: 1,
  covered: 12,
  missing: 0,
  atRisk: 0,
  lost: 0,
  waived: 0,
};

/** What a look found. */
export function archiveSummary(found: Partial<ArchiveSummary> = {}): ArchiveSummary {
  return {
    state: 'current',
    watermarkAt: archiveStart,
    logGroups: 3,
    partitions,
    emptyPartitions: 1,
    nextExpiryAt: archiveStart + 30 * 86_400_000,
    nextExpiryOf: '/secret-log-group/one',
    slotShare: 0.1,
    ...found,
  };
}

/** A row of an archive that was looked at. */
export function archiveRow(
  { id, ...row }: Partial<Insertable<ArchiveRow>> & { id: string },
  found: Partial<ArchiveSummary> = {},
): Insertable<ArchiveRow> {
  return {
    id,
    target: 'default',
    caller: 'secret-caller',
    principal: '{}',
    name: `archive ${id}`,
    definition: JSON.stringify(definition),
    createdAt: archiveStart,
    lookDueAt: archiveStart,
    summary: JSON.stringify(archiveSummary(found)),
    ...row,
  };
}
