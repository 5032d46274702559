import type { PartitionBy } from '#coverage/ledger/units.ts';
import type { VerificationMode } from '#export-jobs/planning/verification-mode.ts';

/** The values of an archive with all defaults applied. Instants are epoch ms. */
export interface ArchiveDefinition {
  /** The exact names of its log groups; null if it has a prefix. */
  logGroupNames: readonly string[] | null;
  /** Its log groups are those whose name begins with this; null if it has names. */
  logGroupNamePrefix: string | null;
  /** Log groups whose name begins with one of these are left out. */
  exceptLogGroupNamePrefixes: readonly string[];
  partitionBy: PartitionBy;
  /** The start of the first partition. */
  fromAt: number;
  /** The end of the last partition; null if it has no end. */
  toAt: number | null;
  destination: string;
  /** The template of the destination prefixes. */
  destinationPrefix: string;
  priority: number;
  /** How many days after its end a partition is exported again, for late log events; 0 for never. */
  refreshDays: number;
  /** How many days back partitions are exported without a backfill; null for all. */
  catchUpDays: number | null;
  verification: Exclude<VerificationMode, 'off'>;
  /** Called with GET while the archive is current; null for none. */
  heartbeatUrl: string | null;
  isOverloadAllowed: boolean;
}

/** The states of an archive, the first that fits. */
export const archiveStates = [
  'ended',
  'paused',
  'atRisk',
  'incomplete',
  'behind',
  'current',
] as const;
export type ArchiveState = (typeof archiveStates)[number];

/** The states of a partition. */
export const partitionStates = [
  'open',
  'waiting',
  'running',
  'covered',
  'missing',
  'atRisk',
  'lost',
  'waived',
] as const;
export type PartitionState = (typeof partitionStates)[number];

/** What a look found, over all log groups of an archive. Instants are epoch ms. */
export interface ArchiveSummary {
  /** The state, unless the archive is paused or has ended. */
  state: Exclude<ArchiveState, 'ended' | 'paused'>;
  /**
   * Whether it creates no jobs, because of its destination or a missing permission. Absent in those of earlier
   * versions.
   */
  isStopped?: boolean;
  /** Before this instant everything wanted is covered or waived; null before the first listing. */
  watermarkAt: number | null;
  /** The number of log groups that are there. */
  logGroups: number;
  /** Why the list of log groups is incomplete or old; absent if it is neither. */
  listingProblem?: string;
  /** The number of partitions in each state. */
  partitions: Record<PartitionState, number>;
  /** The number of covered partitions without log events. */
  emptyPartitions: number;
  /**
   * The number of covered partitions whose second export has failed for the last time. Absent in those of earlier
   * versions.
   */
  failedRepeats?: number;
  /** When the first log events of an uncovered partition expire; null if none do. */
  nextExpiryAt: number | null;
  /** The log group of `nextExpiryAt`; null if there is none, or it is hidden. */
  nextExpiryOf: string | null;
  /** The part of the time of the slot that its exports took in the last day, from 0 on. */
  slotShare: number;
}
