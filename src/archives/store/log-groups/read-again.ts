import type { Queries } from '#database/database.ts';
import type { Selection } from '../../partitions/selection.ts';
import { whereAgain } from './where-again.ts';
import { whereSelected } from './where-selected.ts';

// Fewer: partitions that cannot be exported yet hide those that can. More: each look reads more.
const maxAgain = 500;

/**
 * Reads the ranges of an archive that are to be exported again, with their log groups, the oldest first. Those that
 * failed for the last time are left out: 500 of them would hide all others.
 */
export function readAgain(
  queries: Queries,
  { id, definition }: { id: string; definition: Selection & { refreshDays: number } },
) {
  return (
    queries
      .selectFrom('archiveRanges as ranges')
      .innerJoin('archiveLogGroups as groups', (on) =>
        on
          .onRef('groups.archiveId', '=', 'ranges.archiveId')
          .onRef('groups.logGroupName', '=', 'ranges.logGroupName')
          .onRef('groups.incarnation', '=', 'ranges.incarnation'),
      )
      .selectAll('ranges')
      .select(['groups.goneAt', 'groups.retentionDays', 'groups.seenAt'])
      .where('ranges.archiveId', '=', id)
      .where('ranges.again', 'is not', null)
      .where(whereSelected(definition, 'ranges.logGroupName'))
      // Without `refreshDays`, a range that waits for a refresh becomes final, also if it failed for the last time.
      .where(({ eb, or }) =>
        definition.refreshDays === 0 ? or([whereAgain, eb('again', '=', 'refresh')]) : whereAgain,
      )
      .orderBy('ranges.fromAt')
      .limit(maxAgain)
      .execute()
  );
}
