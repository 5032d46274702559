import { exportableFrom } from '#coverage/ledger/exportable.ts';
import { changeRanges } from '#coverage/ledger/put-range.ts';
import { nextStart, splitByUnit } from '#coverage/ledger/units.ts';
import { dayMs } from '#time/durations.ts';
import { commonPart, type Window } from '#time/window.ts';
import { type DuePartition, riskOf } from '../../partitions/due.ts';
import { readAgain } from '../../store/log-groups/read-again.ts';
import { keyOf } from '../../store/log-groups/read-ledger.ts';
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
  const inWork = Map.groupBy(await readInWork(database.queries, archive.id, names), keyOf);
  const ranges = (await readAgain(database.queries, archive)).filter(({ logGroupName }) =>
    names.has(logGroupName),
  );
  const split = ranges.map((range) => ({ range, finalUntil: finalUntil(range, facts) }));
  const final = split.filter(({ range, finalUntil }) => finalUntil > range.fromAt);
  if (final.length > 0) {
    await writeOfLook(writer, async (queries) => {
      for (const { range, finalUntil: toAt } of final)
        await changeRanges(
          queries,
          { ...range, partitionBy },
          { fromAt: range.fromAt, toAt },
          toFinal,
        );
    });
  }
  return split.flatMap(({ range, finalUntil: fromAt }) => {
    const rest = commonPart(range, { fromAt, toAt: Infinity });
    return rest ? dueIn(rest, range, facts, inWork.get(keyOf(range)) ?? []) : [];
  });
}

const toFinal: Parameters<typeof changeRanges>[3] = (known) => known && { ...known, again: null };

/** Until when a range cannot or need not be exported again. */
function finalUntil(
  { toAt, goneAt, again, retentionDays }: AgainRange,
  { archive, now, isListingFresh }: AssessmentFacts,
): number {
  const { partitionBy, refreshDays } = archive.definition;
  if (goneAt !== null || (again === 'refresh' && refreshDays === 0)) return toAt;
  const expiredAt = exportableFrom({ partitionBy, retentionDays, goneAt, now });
  if (!isListingFresh || expiredAt === -Infinity) return -Infinity;
  return Math.min(toAt, nextStart(expiredAt - 1, partitionBy));
}

function dueIn(
  rest: Window,
  { logGroupName, incarnation, again, retentionDays }: AgainRange,
  { archive, now, limit }: AssessmentFacts,
  inWork: readonly Window[],
): DuePartition[] {
  const { partitionBy, refreshDays } = archive.definition;
  const pauseMs = again === 'refresh' ? refreshDays * dayMs : 0;
  const { expiryAt } = riskOf({ partitionBy, retentionDays, now }, rest);
  return splitByUnit(rest, partitionBy)
    .take(limit)
    .filter(({ toAt }) => toAt + pauseMs <= now)
    .filter((window) => !inWork.some((row) => commonPart(row, window)))
    .map(({ fromAt, toAt }) => {
      const key = { logGroupName, incarnation, fromAt, toAt };
      return { ...key, order: null, isAtRisk: false, expiryAt: expiryAt + fromAt - rest.fromAt };
    })
    .toArray();
}
