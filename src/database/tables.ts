import type { Generated } from 'kysely';

/** A wish of a caller. Instants are epoch ms by the clock of the database; windows are half-open. */
export interface JobRow {
  id: string;
  target: string;
  caller: string;
  /** Who that was, when it was accepted: a `Principal` as JSON; null when they were not told apart yet. */
  principal: string | null;
  name: string | null;
  priority: number;
  sliceBy: string;
  fromAt: number;
  toAt: number;
  destination: string;
  /** The template, as it was sent or the default. */
  destinationPrefix: string;
  /** IANA name of the time zone it is cut by, and of the times in its prefix. */
  timeZone: Generated<string>;
  logStreamNamePrefix: string | null;
  isUnsettledAllowed: 0 | 1;
  /** What the log groups held when the job was accepted, where CloudWatch Logs was asked for it. */
  logGroupBytes: number | null;
  acceptedAt: number;
  cancelRequestedAt: number | null;
  /** Grows with every change of the job or one of its slices; each has an event of this number. */
  version: Generated<number>;
}

/** One log group × one window of a job. */
export interface SliceRow {
  jobId: string;
  /** 0, 1, 2, … within the job. */
  number: number;
  // Of the job, repeated for the index that is the line.
  target: string;
  caller: string;
  priority: number;
  logGroupName: string;
  fromAt: number;
  toAt: number;
  /** Until when it waits for its log events to be exportable; null when it need not. */
  notBeforeAt: number | null;
  /** Since when, or from when on, it stands in line. */
  readyAt: number;
  state: string;
  /** The number of its latest attempt; 0 before the first. */
  attempt: Generated<number>;
  /** Attempts that failed since it was accepted, or since its caller asked to retry it. */
  failures: Generated<number>;
  /** Attempts in a row that were sent and created nothing. */
  misses: Generated<number>;
  /** Why it failed: a `SliceProblem` as JSON. */
  problem: string | null;
}

/** One CreateExportTask for a slice: written before it is sent. */
export interface AttemptRow {
  jobId: string;
  slice: number;
  attempt: number;
  target: string;
  /** The taskName it is sent with, by which it is found again. */
  marker: string;
  destinationPrefix: string;
  /** The fencing number of the lease it was sent under. */
  fence: number;
  submittedAt: number;
  taskId: string | null;
  /** AWS's own times of the task. */
  taskCreatedAt: number | null;
  taskCompletedAt: number | null;
  endedAt: number | null;
  outcome: string | null;
  problem: string | null;
}

/** What changed in a job: what a watcher is told. */
interface EventRow {
  jobId: string;
  version: number;
  at: number;
  type: string;
  /** JSON. */
  data: string;
}

/** Which job a caller's Idempotency-Key stands for. */
interface IdempotencyKeyRow {
  caller: string;
  key: string;
  digest: string;
  jobId: string;
  createdAt: number;
}

/** A caller's line at a target and priority, and when it last had its turn. */
interface LineRow {
  target: string;
  priority: number;
  caller: string;
  lastTurn: Generated<number>;
  /** An attempt of the caller led to no export; until then the next one like it makes it step aside. */
  watchedUntil: Generated<number>;
  /** Until then the caller's slices start only when nobody else's are ready. */
  asideUntil: Generated<number>;
}

/** The slot of a target: who works it, and what was seen in it. */
interface SlotRow {
  target: string;
  accountId: string;
  region: string;
  owner: string | null;
  fence: Generated<number>;
  leasedUntil: Generated<number>;
  /** Starts so far: the number of the latest turn. */
  turns: Generated<number>;
  foreignTaskId: string | null;
  foreignLogGroupName: string | null;
  foreignSince: number | null;
  foreignSeenAt: number | null;
}

/** An export task of ours that is not the one its slice knows: found by the sweeper. */
interface StrayRow {
  taskId: string;
  target: string;
  marker: string;
  jobId: string | null;
  detectedAt: number;
}

/** Who may have only so many slices waiting: a row to hold while they are counted. */
interface CallerRow {
  id: string;
}

/** Who did what to a job, or asked what of AWS for it, and who let them. Rows are only ever added. */
export interface AuditEntryRow {
  at: number;
  /** Null for the task of a job that is not known. */
  jobId: string | null;
  /** The version the job had by it; null when nothing of the job changed. */
  version: number | null;
  /** The type of the event of that version. */
  change: string | null;
  principal: string;
  action: string;
  /** The id of the request, or the marker of the attempt. */
  requestId: string;
  /** Ids of the policies that decided, as JSON. */
  policies: string;
  target: string;
  slice: number | null;
  logGroupName: string | null;
  destination: string | null;
  destinationPrefix: string | null;
  taskId: string | null;
  awsRequestId: string | null;
  /** `ok`, or the slug of the problem it ended with. */
  outcome: string;
}

/** This database; its id is in every marker, so that installations in one account keep apart. */
interface InstallationRow {
  id: string;
  /** The key the markers are signed with. */
  secret: string;
}

/** A step that was applied to these tables. */
interface MigrationRow {
  name: string;
  appliedAt: number;
}

/** Every table, by name. */
export interface Tables {
  jobs: JobRow;
  slices: SliceRow;
  attempts: AttemptRow;
  events: EventRow;
  idempotencyKeys: IdempotencyKeyRow;
  lines: LineRow;
  slots: SlotRow;
  strays: StrayRow;
  callers: CallerRow;
  auditEntries: AuditEntryRow;
  installation: InstallationRow;
  migrations: MigrationRow;
}
