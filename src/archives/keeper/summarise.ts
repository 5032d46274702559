import { startOf } from '#coverage/ledger/units.ts';
import type { ArchiveSummary } from '../archive.ts';
import { workStateOf } from '../partitions/archive-state.ts';
import type { KeptArchive } from '../store/looks/claim-look.ts';
import { tooManyLogGroups } from './log-groups/find-log-groups.ts';
import type { Survey } from './log-groups/survey-log-groups.ts';

/** What a summary depends on beside the survey. */
interface SummaryFacts {
  now: number;
  listingProblem: string | undefined;
  isListingStale: boolean;
  slotShare: number;
}

/** Why the list of log groups is old. */
export const staleListing =
  'The log groups have not been listed for more than 24 minutes. New ones are not found.';

/** Summarises what a look found. */
export function summarise(
  { definition, listedAt, stopProblem }: KeptArchive,
  { tally, logGroups }: Pick<Survey, 'tally' | 'logGroups'>,
  { now, listingProblem, isListingStale, slotShare }: SummaryFacts,
): ArchiveSummary {
  const { partitions, emptyPartitions, failedRepeats, dueSinceAt, failed } = tally;
  const { nextExpiryAt, nextExpiryOf } = tally;
  const { partitionBy, toAt } = definition;
  const { atRisk, lost } = partitions;
  const { firstOpenAt, firstLostAt } = tally;
  const doneAt = Math.min(firstOpenAt, firstLostAt, toAt ?? startOf(now, partitionBy));
  const problem = listingProblem ?? (isListingStale ? staleListing : undefined);
  return {
    state: workStateOf({
      isStopped: stopProblem !== null,
      hasUnknown: listedAt === null || isListingStale || problem === tooManyLogGroups,
      atRisk,
      lost,
      failed,
      dueSinceAt,
      now,
    }),
    isStopped: stopProblem !== null,
    watermarkAt: listedAt === null ? null : doneAt,
    logGroups,
    ...(problem !== undefined && { listingProblem: problem }),
    partitions,
    emptyPartitions,
    failedRepeats,
    nextExpiryAt,
    nextExpiryOf,
    slotShare,
  };
}
