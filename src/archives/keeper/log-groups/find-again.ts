import { exportableFrom } from '#coverage/ledger/exportable.ts';
import { changeRanges } from '#coverage/ledger/put-range.ts';
import { nextStart, type PartitionBy, splitByUnit, startOf } from '#coverage/ledger/units.ts';
import { dayMs } from '#time/durations.ts';
import { commonPart, type Window } from '#time/window.ts';
import { type DuePartition, riskOf } from '../../partitions/due.ts';
import { readAgain } from '../../store/log-groups/read-again.ts';
import { keyOf, type LogGroupCursor } from '../../store/log-groups/read-ledger.ts';
import { writeOfLook } from '../../store/looks/hold-look.ts';
import { readInWork } from '../../store/partitions/read-queued.ts';
import type { Look } from '../look.ts';
import type { AssessmentFacts } from './assess-log-group.ts';

type AgainRange = Awaited<ReturnType<typeof readAgain>>[number];

/**
 * Finds covered partitions that are to be exported again now, because late log events can have come, or a backfill
 * asks for it. One that can no longer be exported as a whole is final: another export would have less.
 */
export async function findAgain(look: Look, facts: AssessmentFacts): Promise<DuePartition[]> {
  const { archive, database, writer } = look;
  const { partitionBy } = archive.definition;
  const names = new Set(
    (await readAgain(database.queries, archive)).map(({ logGroupName }) => logGroupName),
  );
  if (names.size === 0) return [];
  // Before the ranges that count: otherwise an export that ends between the two would be repeated.
  const rows = await readInWork(database.queries, archive.id, names);
  const inWork = Map.groupBy(rows, (row) => unitKeyOf(row, partitionBy));
  const ranges = (await readAgain(database.queries, archive)).filter(({ logGroupName }) =>
    names.has(logGroupName),
  );
  const final = ranges
    // The retention can have become longer since it was confirmed.
    .map((range) => ({ range, toAt: finalUntil(range, facts, Math.min(facts.now, range.seenAt)) }))
    .filter(({ range, toAt }) => toAt > range.fromAt);
  if (final.length > 0) {
    await writeOfLook(writer, async (queries) => {
      for (const { range, toAt } of final)
        await changeRanges(
          queries,
          { ...range, partitionBy },
          { fromAt: range.fromAt, toAt },
          toFinal,
        );
    });
  }
  return ranges.flatMap((range) => {
    // As it is assessed in the queue: otherwise each look would withdraw what the last one has queued.
    const fromAt = finalUntil(range, facts, facts.now);
    const rest = commonPart(range, { fromAt, toAt: Infinity });
    return rest ? dueIn(rest, range, facts, inWork) : [];
  });
}

/** The log group and the calendar unit of a partition, or of a part of it. */
const unitKeyOf = (partition: LogGroupCursor & Window, partitionBy: PartitionBy) =>
  `${startOf(partition.fromAt, partitionBy)} ${keyOf(partition)}`;

const toFinal: Parameters<typeof changeRanges>[3] = (known) => known && { ...known, again: null };

/** Until when a range cannot or need not be exported again at an instant. */
function finalUntil(
  { toAt, goneAt, again, retentionDays }: AgainRange,
  { archive }: AssessmentFacts,
  now: number,
): number {
  const { partitionBy, refreshDays } = archive.definition;
  if (goneAt !== null || (again === 'refresh' && refreshDays === 0)) return toAt;
  const expiredAt = exportableFrom({ partitionBy, retentionDays, goneAt, now });
  if (expiredAt === -Infinity) return -Infinity;
  return Math.min(toAt, nextStart(expiredAt - 1, partitionBy));
}

function dueIn(
  rest: Window,
  { logGroupName, incarnation, again, retentionDays }: AgainRange,
  { archive, now, limit }: AssessmentFacts,
  inWork: ReadonlyMap<string, readonly Window[]>,
): DuePartition[] {
  const { partitionBy, refreshDays } = archive.definition;
  const readyUntil = now - (again === 'refresh' ? refreshDays * dayMs : 0);
  // The last part of a range can be less than a unit: it is ready when it has ended.
  const toAt = rest.toAt <= readyUntil ? rest.toAt : startOf(readyUntil, partitionBy);
  const { expiryAt } = riskOf({ partitionBy, retentionDays, now }, rest);
  // Those in work do not count: eight that failed for the last time would block all later ones.
  return splitByUnit({ ...rest, toAt }, partitionBy)
    .map((window) => ({ logGroupName, incarnation, ...window }))
    .filter((each) => {
      const rows = inWork.get(unitKeyOf(each, partitionBy)) ?? [];
      return !rows.some((row) => commonPart(row, each));
    })
    .take(limit)
    .map((each) => {
      const expiry = { isAtRisk: false, expiryAt: expiryAt + each.fromAt - rest.fromAt };
      return { ...each, order: null, ...expiry };
    })
    .toArray();
}
