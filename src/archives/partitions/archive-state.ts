import { hourMs } from '#time/durations.ts';
import type { ArchiveState, ArchiveSummary } from '../archive.ts';

/** What the state of the work of an archive follows from. */
interface WorkFacts {
  /** Whether it creates no jobs, because of its destination or a missing permission. */
  isStopped: boolean;
  /** Whether there can be log groups that it does not know: they were not listed, or not for long, or not all. */
  hasUnknown: boolean;
  /** Partitions that are not covered and within the margin before their expiry. */
  atRisk: number;
  /** Partitions that are lost and not waived. */
  lost: number;
  /** Partitions whose last export failed, and that are not covered. */
  failed: number;
  /** Since when the partition that waits longest has been due; null if none is due. */
  dueSinceAt: number | null;
  now: number;
}

// Shorter: an archive by hour is behind for some minutes of each hour. Longer: an archive that has stopped
// working looks current.
const patienceMs = hourMs;

/** Derives the state of an archive that is neither paused nor ended. */
export function workStateOf(facts: WorkFacts): ArchiveSummary['state'] {
  const { isStopped, hasUnknown, atRisk, lost, failed, dueSinceAt, now } = facts;
  if (atRisk > 0) return 'atRisk';
  if (lost > 0 || failed > 0) return 'incomplete';
  const isLate = dueSinceAt !== null && now - dueSinceAt > patienceMs;
  return isStopped || hasUnknown || isLate ? 'behind' : 'current';
}

/** Returns the state of an archive. */
export function stateOf(
  { endedAt, pausedAt }: { endedAt: number | null; pausedAt: number | null },
  { state }: Pick<ArchiveSummary, 'state'>,
): ArchiveState {
  if (endedAt !== null) return 'ended';
  return pausedAt === null ? state : 'paused';
}
