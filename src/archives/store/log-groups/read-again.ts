import type { Queries } from '#database/database.ts';
import type { Selection } from '../../partitions/selection.ts';
import { whereSelected } from './where-selected.ts';

// Fewer: partitions that cannot be exported hide those that can. More: each look reads more.
const maxAgain = 500;

/** Reads the ranges of an archive that are to be exported again, with their log groups, the oldest first. */
export function readAgain(
  queries: Queries,
  { id, definition }: { id: string; definition: Selection },
) {
  return queries
    .selectFrom('archiveRanges as ranges')
    .innerJoin('archiveLogGroups as groups', (on) =>
      on
        .onRef('groups.archiveId', '=', 'ranges.archiveId')
        .onRef('groups.logGroupName', '=', 'ranges.logGroupName')
        .onRef('groups.incarnation', '=', 'ranges.incarnation'),
    )
    .selectAll('ranges')
    .select(['groups.goneAt', 'groups.retentionDays'])
    .where('ranges.archiveId', '=', id)
    .where('ranges.again', 'is not', null)
    .where(whereSelected(definition, 'ranges.logGroupName'))
    .orderBy('ranges.fromAt')
    .limit(maxAgain)
    .execute();
}
