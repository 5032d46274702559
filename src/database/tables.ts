import type { Generated } from 'kysely';

import type {
  ArchiveBackfillRow,
  ArchiveLogGroupRow,
  ArchivePartitionRow,
  ArchiveRangeRow,
  ArchiveRow,
  ArchiveWaiverRow,
} from './rows/archive-rows.ts';
import type { AuditEntryRow } from './rows/audit-entry-row.ts';
import type { CoverageRow } from './rows/coverage-row.ts';
import type {
  DeliveryRow,
  NotificationEventRow,
  NotificationSinkRow,
  WebhookEndpointRow,
} from './rows/notification-rows.ts';
import type { ForeignTaskRow, ReplicaRow, SlotRow, StandBackRow } from './rows/slot-rows.ts';
import type { VerificationRow } from './rows/verification-row.ts';

/** An export job. Instants are epoch ms by the clock of the database; windows are half-open. */
export interface JobRow {
  id: string;
  target: string;
  caller: string;
  /** The caller at acceptance: a `Principal` as JSON; null for jobs from before callers were authenticated. */
  principal: string | null;
  name: string | null;
  priority: number;
  sliceBy: string;
  fromAt: number;
  toAt: number;
  destination: string;
  /** The prefix template: the one of the request, or the default. */
  destinationPrefix: string;
  /** IANA name of the time zone for slicing and for the times in the prefix. */
  timeZone: Generated<string>;
  logStreamNamePrefix: string | null;
  isUnsettledAllowed: 0 | 1;
  /** How its exports are verified: `off`, `objects` or `count`. */
  verification: Generated<string>;
  /** Stored bytes of the log groups at acceptance; null if CloudWatch Logs was not asked. */
  logGroupBytes: number | null;
  acceptedAt: number;
  cancelRequestedAt: number | null;
  /**
   * When its last slice ended; null before that. Older versions neither write nor clear it, so a
   * deletion of jobs must check it.
   */
  endedAt: Generated<number | null>;
  /** The span of the request that created the job, as a header traceparent; null without traces. */
  traceParent: string | null;
  /** The archive that put it into the queue; null for jobs of callers. */
  archiveId: Generated<string | null>;
  /** The incarnation of its log group in the archive. */
  incarnation: Generated<number | null>;
  /** Which export of its partition it is: 1, 2, 3, … 1 for jobs of callers. */
  revision: Generated<number>;
  /**
   * The parameters of the CreateExportTask that it was created with, over the protocol of AWS: `TaskParameters`
   * as JSON. Null for every other job.
   */
  taskParameters: Generated<string | null>;
  /** Grows with every change of the job or its slices; each change has an event with this number. */
  version: Generated<number>;
}

/** A job that was deleted. It tells of the job, and of what is left to delete. */
interface DeletedJobRow {
  id: string;
  caller: string;
  deletedAt: number;
  /** What is left: the rows of the job and more, only its Idempotency-Key and this row, or only this row. */
  rest: 'rows' | 'key' | 'id';
}

/** The deletion of old rows, one row: which replica does it, and which audit entries it may delete now. */
interface PurgeRow {
  owner: string | null;
  leasedUntil: Generated<number>;
  /** Set only within a transaction of the purge, otherwise 0. */
  auditDeletableUpTo: Generated<number>;
}

/** A slice: one log group × one window of a job. */
export interface SliceRow {
  jobId: string;
  /** 0, 1, 2, … within the job. */
  number: number;
  // Copied from the job for the index of the queue.
  target: string;
  caller: string;
  priority: number;
  logGroupName: string;
  fromAt: number;
  toAt: number;
  /** When its log events are exportable; null if it need not wait for that. */
  notBeforeAt: number | null;
  /** When it entered, or will enter, the queue. */
  readyAt: number;
  state: string;
  /** The number of its latest attempt; 0 before the first. */
  attempt: Generated<number>;
  /** Failed attempts since it was accepted or retried by its caller. */
  failures: Generated<number>;
  /** Consecutive attempts that were sent and created no task. */
  misses: Generated<number>;
  /** The cause of its failure: a `SliceProblem` as JSON. */
  problem: string | null;
  /** The number of the slice that it was split from; null if it was planned. */
  parent: Generated<number | null>;
}

/** An attempt: one CreateExportTask for a slice, written before it is sent. */
export interface AttemptRow {
  jobId: string;
  slice: number;
  attempt: number;
  target: string;
  /** The taskName it is sent with; the dispatcher finds the task by it. */
  marker: string;
  destinationPrefix: string;
  /** The fencing number of the lease it was sent under. */
  fence: number;
  submittedAt: number;
  taskId: string | null;
  /** The times of the task at AWS. */
  taskCreatedAt: number | null;
  taskCompletedAt: number | null;
  endedAt: number | null;
  outcome: string | null;
  problem: string | null;
  /** What AWS refused it with, `{code, message}` as JSON; null if it did not, or for other jobs than wire tasks. */
  awsError: Generated<string | null>;
}

/** A change of a job, for event streams. */
interface EventRow {
  jobId: string;
  version: number;
  at: number;
  type: string;
  /** JSON. */
  data: string;
}

/** The job of an Idempotency-Key. */
interface IdempotencyKeyRow {
  caller: string;
  key: string;
  digest: string;
  jobId: string;
  createdAt: number;
}

/** The queue of a caller at a target and priority. */
interface LineRow {
  target: string;
  priority: number;
  caller: string;
  /** The start that last served this queue: a value of `turns` of the slot. */
  lastTurn: Generated<number>;
  /** The latest start at the target that ignored the priority for this caller: a value of `turns` of the slot. */
  lastTenth: Generated<number>;
  /** An attempt of the caller led to no export. A further one before this instant sets `asideUntil`. */
  watchedUntil: Generated<number>;
  /** Until then, the slices of the caller start only if no other caller has ready slices. */
  asideUntil: Generated<number>;
}

/** An orphaned task: an export task of ours that its slice does not know, found by the orphan sweep. */
interface StrayRow {
  taskId: string;
  target: string;
  marker: string;
  jobId: string | null;
  detectedAt: number;
}

/** A caller: its row is locked while its waiting slices are counted. */
interface CallerRow {
  id: string;
}

/** This installation. Its id is in every marker, so that installations in one account do not mix. */
interface InstallationRow {
  id: string;
  /** The key the markers are signed with. */
  secret: string;
}

/** A migration that was applied to these tables. */
interface MigrationRow {
  name: string;
  appliedAt: number;
}

/** Every table, by name. */
export interface Tables {
  jobs: JobRow;
  slices: SliceRow;
  attempts: AttemptRow;
  verifications: VerificationRow;
  coverage: CoverageRow;
  archives: ArchiveRow;
  archiveLogGroups: ArchiveLogGroupRow;
  archiveRanges: ArchiveRangeRow;
  archivePartitions: ArchivePartitionRow;
  archiveBackfills: ArchiveBackfillRow;
  archiveWaivers: ArchiveWaiverRow;
  webhookEndpoints: WebhookEndpointRow;
  notificationEvents: NotificationEventRow;
  notificationSinks: NotificationSinkRow;
  deliveries: DeliveryRow;
  events: EventRow;
  idempotencyKeys: IdempotencyKeyRow;
  lines: LineRow;
  slots: SlotRow;
  foreignTasks: ForeignTaskRow;
  replicas: ReplicaRow;
  standBacks: StandBackRow;
  strays: StrayRow;
  callers: CallerRow;
  auditEntries: AuditEntryRow;
  deletedJobs: DeletedJobRow;
  purge: PurgeRow;
  installation: InstallationRow;
  migrations: MigrationRow;
}
