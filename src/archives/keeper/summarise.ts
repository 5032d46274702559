import { startOf } from '#coverage/ledger/units.ts';
import type { ArchiveSummary } from '../archive.ts';
import { workStateOf } from '../partitions/archive-state.ts';
import type { KeptArchive } from '../store/looks/claim-look.ts';
import type { Survey } from './log-groups/survey-log-groups.ts';

/** What a summary depends on beside the survey. */
interface SummaryFacts {
  now: number;
  listingProblem: string | undefined;
  /** The start of the first time that is lost and not waived; null if there is none. */
  firstLostAt: number | null;
  slotShare: number;
}

/** Summarises what a look found. */
export function summarise(
  { definition, listedAt, stopProblem }: KeptArchive,
  { tally, logGroups }: Pick<Survey, 'tally' | 'logGroups'>,
  { now, listingProblem, firstLostAt, slotShare }: SummaryFacts,
): ArchiveSummary {
  const { partitions, emptyPartitions, nextExpiryAt, nextExpiryOf, dueSinceAt, failed } = tally;
  const { partitionBy, toAt } = definition;
  const { atRisk, lost } = partitions;
  const heldAt = Math.min(tally.firstOpenAt, firstLostAt ?? Infinity);
  const doneAt = Math.min(heldAt, toAt ?? startOf(now, partitionBy));
  return {
    state: workStateOf({ isStopped: stopProblem !== null, atRisk, lost, failed, dueSinceAt, now }),
    watermarkAt: listedAt === null ? null : doneAt,
    logGroups,
    ...(listingProblem !== undefined && { listingProblem }),
    partitions,
    emptyPartitions,
    nextExpiryAt,
    nextExpiryOf,
    slotShare,
  };
}
