import { exportableFrom } from '#coverage/ledger/exportable.ts';
import { countUnits, startOf } from '#coverage/ledger/units.ts';
import { commonPart, partsOutside, type Window } from '#time/window.ts';
import type { ArchiveDefinition } from '../../archive.ts';
import { isFailedRepeat } from '../../partitions/runs.ts';
import type { LogGroupPart } from '../../store/reads/read-ledger-window.ts';
import type { PlannedBackfill } from './read-backfill.ts';

/**
 * Counts the partitions of a log group that a backfill exports, of the part of its time that was read. Log
 * events that have expired or are from before the log group cannot be exported; neither can those of a log
 * group that was deleted.
 */
export function countBackfill(
  { logGroup, window, ranges, work }: LogGroupPart,
  { partitionBy }: ArchiveDefinition,
  { reprocess }: PlannedBackfill,
  now: number,
): number {
  const { createdAt, goneAt, retentionDays } = logGroup;
  if (goneAt !== null) return 0;
  const keptFrom = exportableFrom({ partitionBy, retentionDays, goneAt, now });
  const fromAt = Math.max(window.fromAt, startOf(createdAt, partitionBy), keptFrom);
  const wanted = { fromAt, toAt: window.toAt };
  const known = reprocess === 'all' ? ranges.filter(({ state }) => state !== 'covered') : ranges;
  const count = (windows: Iterable<Window>) =>
    Iterator.from(windows).reduce((sum, each) => sum + countUnits(each, partitionBy), 0);
  const gaps = count(partsOutside(wanted, known));
  if (reprocess === 'all') return gaps;
  const failed = work.filter(({ state }) => state === 'missing');
  const repeats = failed.filter((row) => isFailedRepeat(row, ranges));
  const counted = reprocess === 'failed' ? repeats : failed.filter((row) => !repeats.includes(row));
  const parts = count(counted.flatMap((each) => commonPart(each, wanted) ?? []));
  return reprocess === 'failed' ? gaps + parts : gaps - parts;
}
