import { exportableFrom } from '#coverage/ledger/exportable.ts';
import { countUnits, startOf } from '#coverage/ledger/units.ts';
import { commonPart, partsOutside } from '#time/window.ts';
import type { ArchiveDefinition } from '../../archive.ts';
import type { LogGroupInWindow } from '../../store/log-groups/read-window.ts';
import type { PlannedBackfill } from './read-backfill.ts';

/**
 * Counts the partitions of a log group that a backfill exports. Log events that have expired or are from
 * before the log group cannot be exported; neither can those of a log group that was deleted.
 */
export function countBackfill(
  group: LogGroupInWindow,
  { partitionBy }: ArchiveDefinition,
  { reprocess, ...window }: PlannedBackfill,
  now: number,
): number {
  const { createdAt, goneAt, retentionDays, ranges, failed } = group;
  if (goneAt !== null) return 0;
  const keptFrom = exportableFrom({ partitionBy, retentionDays, goneAt, now });
  const fromAt = Math.max(window.fromAt, startOf(createdAt, partitionBy), keptFrom);
  const wanted = { fromAt, toAt: window.toAt };
  const known = reprocess === 'all' ? ranges.filter(({ state }) => state !== 'covered') : ranges;
  const count = (windows: Iterable<typeof wanted>) =>
    Iterator.from(windows).reduce((sum, each) => sum + countUnits(each, partitionBy), 0);
  const gaps = count(partsOutside(wanted, known));
  if (reprocess !== 'missing') return gaps;
  return gaps - count(failed.flatMap((each) => commonPart(each, wanted) ?? []));
}
