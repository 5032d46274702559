import type { Generated } from 'kysely';

/**
 * An archive: log groups that are exported from now on, partition by partition. Instants are epoch ms by the
 * clock of the database; windows are half-open.
 */
export interface ArchiveRow {
  id: string;
  target: string;
  /** Where its log groups are: the place of the target at the first listing. Null before it. */
  accountId: string | null;
  region: string | null;
  caller: string;
  /** The caller at acceptance: a `Principal` as JSON. Each export is decided for this principal. */
  principal: string;
  name: string;
  /** The rest of the request with all defaults: an `ArchiveDefinition` as JSON. */
  definition: string;
  /** The Idempotency-Key of the request, and the digest of the request; null if it had none. */
  idempotencyKey: string | null;
  digest: string | null;
  createdAt: number;
  pausedAt: number | null;
  pausedBy: string | null;
  pauseReason: string | null;
  endedAt: number | null;
  /** Grows with every visible change. */
  version: Generated<number>;
  /** When the keeper looks at it next. Infinitely late once it has ended and its last export, too. */
  lookDueAt: number;
  lookedAt: number | null;
  /** The process that looks at it now. */
  owner: string | null;
  leasedUntil: Generated<number>;
  /** The number of looks so far. It is the fencing number of the lease. */
  looks: Generated<number>;
  /** When its log groups were listed last. */
  listedAt: number | null;
  /** The number of its log groups, of its latest planning or listing. */
  logGroupCount: Generated<number>;
  /** Why it is stopped: a `SliceProblem` as JSON; null if it is not. */
  stopProblem: string | null;
  /** When its destination is checked next, while it is stopped. */
  stopCheckAt: number | null;
  /** Since when it exports on trial, while it is stopped. */
  trialAt: number | null;
  /** When its last heartbeat was sent. */
  heartbeatAt: number | null;
  /** What the last look found: an `ArchiveSummary` as JSON. */
  summary: string | null;
}

/** A log group of an archive. A log group that was deleted and created again has a row for each time. */
export interface ArchiveLogGroupRow {
  archiveId: string;
  logGroupName: string;
  /** 1, 2, 3, … A higher number is a log group of the same name that was created later. */
  incarnation: number;
  /** When AWS says that it was created. */
  createdAt: number;
  /** When it was last in a listing. */
  seenAt: number;
  /** When it was first missed in a complete listing, or replaced; null if it is there. */
  goneAt: number | null;
  /** After how many days its log events expire; null if they never do. */
  retentionDays: number | null;
  /** The same before the last change of it. It counts only if `retentionFoundAt` is not null. */
  formerRetentionDays: Generated<number | null>;
  /** When it was in the last listing before this change. */
  formerSeenAt: Generated<number | null>;
  /** When the listing began that found this change; null if none has. */
  retentionFoundAt: Generated<number | null>;
  /** Log events before it can have expired under an earlier, shorter retention; null if there is no such time. */
  doubtfulUntilAt: Generated<number | null>;
  /** Until when everything wanted has a range, without a gap; null if that is not known. */
  doneUntilAt: number | null;
  /** The number of partitions in its ranges, by state. `empty` are those of `covered` without log events. */
  covered: Generated<number>;
  empty: Generated<number>;
  lost: Generated<number>;
  waived: Generated<number>;
}

/** A range of time of a log group whose state is known. Ranges are disjoint; equal neighbours are one row. */
export interface ArchiveRangeRow {
  archiveId: string;
  logGroupName: string;
  incarnation: number;
  fromAt: number;
  toAt: number;
  state: 'covered' | 'lost' | 'waived';
  /** For `covered`: whether the export has no log events; otherwise 0. */
  isEmpty: 0 | 1;
  /** For `covered`: why it is exported again; null if it is final. */
  again: 'refresh' | 'backfill' | null;
  /** For `lost`: the cause. For `waived`: the number of the waiver. */
  cause: string | null;
}

/** A partition of an archive that is in the queue, or whose export failed. */
export interface ArchivePartitionRow {
  archiveId: string;
  logGroupName: string;
  incarnation: number;
  fromAt: number;
  toAt: number;
  state: 'queued' | 'missing';
  /** Its latest job. */
  jobId: string | null;
  /** The revision that this job exports: 1, 2, 3, … */
  revision: number;
  /** Failed jobs in a row. */
  failures: Generated<number>;
  /** When it is tried again; null if it is not. */
  retryAt: number | null;
  /** The cause of its latest failure: a `SliceProblem` as JSON. */
  problem: string | null;
}

/** A request to export a time range of an archive, beside what its definition wants. */
export interface ArchiveBackfillRow {
  archiveId: string;
  /** 1, 2, 3, … within the archive. */
  number: number;
  /** JSON; null for all log groups of the archive. */
  logGroupNames: string | null;
  fromAt: number;
  toAt: number;
  reprocess: 'missing' | 'failed' | 'all';
  serveOrder: 'oldest' | 'newest';
  requestedAt: number;
  caller: string;
  requestId: string;
  endedAt: number | null;
}

/** A statement of a person that a time range of a log group need not be covered. */
export interface ArchiveWaiverRow {
  archiveId: string;
  /** 1, 2, 3, … within the archive. */
  number: number;
  logGroupName: string;
  fromAt: number;
  toAt: number;
  reason: string;
  caller: string;
  at: number;
}
