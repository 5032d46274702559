import type { ExportTaskStatusCode } from '../logs/export-tasks.ts';

/** Checks of CreateExportTask after validation of its members. */
export const createChecks = [
  'bucket',
  'bucketRegion',
  'logGroup',
  'bucketPolicy',
  'activeLimit',
] as const;

/** One of these checks. */
export type CreateCheck = (typeof createChecks)[number];

/** What sts:AssumeRole does for one role. */
export interface RoleRule {
  /** Asked for in every call when given; a wrong or missing one is AccessDenied. */
  externalId?: string;
  /** AccessDenied for everybody, as when the role is gone or does not trust the caller. */
  refuses?: boolean;
}

/**
 * All options; those marked "unverified" stand for something AWS does that nobody has written down.
 */
export interface EmulatorOptions {
  /** Default 127.0.0.1. */
  host?: string;
  /** Default 0: any free port. */
  port?: number;
  /** Buckets and objects also lie on disk here, and are served again after a restart. */
  dataDir?: string | undefined;
  /** Epoch ms at which the clock stands still until it is turned. Without it real time runs. */
  startAt?: number;
  /** Account of ordinary access keys. Default 123456789012. */
  accountId?: string;
  /** Accounts of particular access keys. Default none. */
  accountsByAccessKey?: Record<string, string>;
  /** Rules by role ARN. A role without one can be assumed by anybody. Default none. */
  roles?: Record<string, RoleRule>;
  /** Latest journal entries kept. Default 100,000. */
  journalLimit?: number;

  /** Time a task is PENDING. Default 500; AWS takes from part of a second to hours. */
  pendingMs?: number;
  /**
   * Time a task is RUNNING; of two, each task draws its own between them. Default 1000; small exports
   * take a second or two.
   */
  runningMs?: number | readonly [least: number, most: number];
  /** Seed of what is drawn. Default 1: the same in every run. */
  randomSeed?: number;
  /** Time a task is PENDING_CANCEL. Default 100 (unverified). */
  pendingCancelMs?: number;
  /**
   * A task still active after this ends FAILED. Default 24 h (documentation; the status is
   * unverified).
   */
  taskTimeoutMs?: number;
  /** Active (PENDING or RUNNING) tasks per account and Region. Default 1 (documentation). */
  activeTaskLimit?: number;
  /**
   * Calls a second per account, Region and operation. 'aws' (default) is the documented quotas, with
   * a burst of one second's worth (unverified). 'off' has none; an object overrides single quotas.
   */
  rateLimits?: 'aws' | 'off' | Partial<Record<string, number>>;

  /**
   * Whether PENDING_CANCEL holds the slot. Default false: the quota counts PENDING and RUNNING
   * (unverified).
   */
  pendingCancelHoldsSlot?: boolean;
  /**
   * Whether cancelling a PENDING_CANCEL task succeeds. Default false: it is neither PENDING nor
   * RUNNING (unverified).
   */
  pendingCancelIsCancellable?: boolean;
  /** status.message of PENDING_CANCEL. Default absent (unverified). */
  pendingCancelMessage?: string;
  /** status.message of CANCELLED. Default absent (unverified). */
  cancelledMessage?: string;
  /** What becomes of a task that was cancelled while RUNNING. Default 'cancelled' (unverified). */
  cancelledWhileRunning?: 'cancelled' | 'completes';
  /**
   * Codes that DescribeExportTasks shows in place of those of the service model; a filter does not
   * find them. Default none.
   */
  shownStatusCodes?: Partial<Record<ExportTaskStatusCode, string>>;
  /** Whether a PENDING task has `executionInfo`. Default true (recorded right after a create). */
  pendingHasExecutionInfo?: boolean;
  /** `destinationPrefix` as DescribeExportTasks shows it: as given, or without a slash at its end.
   * Default 'given' (unverified). */
  shownPrefix?: 'given' | 'trimmed';

  /** How long finished tasks stay in DescribeExportTasks. Default for ever (unverified). */
  keepFinishedTasksMs?: number;
  /** How old a task is when listings first have it; by id it is there at once. Default 0 (unverified). */
  listedAfterMs?: number;
  /** Order of a listing with a status filter. Default 'newest-first' (unverified). */
  filteredOrder?: 'newest-first' | 'oldest-first' | 'by-id';
  /**
   * Pages of DescribeExportTasks without a task: never, after the last task, or before each page
   * too. Default 'never' (unverified).
   */
  emptyPages?: 'never' | 'last' | 'everywhere';
  /** Validity of a nextToken. Default 24 h (documentation). */
  nextTokenTtlMs?: number;

  /**
   * Order of the checks of CreateExportTask; one left out is not made. Default bucket,
   * bucketRegion, logGroup, bucketPolicy, activeLimit (unverified).
   */
  checkOrder?: readonly CreateCheck[];
  /**
   * Code when the bucket policy keeps CloudWatch Logs out. Default AccessDeniedException, seen in
   * 2026; InvalidParameterException was seen in 2023.
   */
  bucketPolicyErrorCode?: 'AccessDeniedException' | 'InvalidParameterException';
  /**
   * Service principals of CloudWatch Logs in other partitions than `aws`: with the suffix of the
   * partition, with `amazonaws.com`, or any of them. Default 'any' (sources disagree about China).
   */
  otherPartitionPrincipals?: 'any' | 'own-suffix' | 'amazonaws.com';
  /** A bucket in another Region. Default 'refuse' (documentation). */
  otherRegionBucket?: 'refuse' | 'accept';
  /** The text of that refusal, an InvalidParameterException (unverified). */
  otherRegionBucketMessage?: string;
  /** `from` after `to`. Default 'accept': an export without events (unverified). */
  fromAfterTo?: 'refuse' | 'accept';
  /**
   * A taskName used before: 'refuse' is ResourceAlreadyExistsException. Default 'accept'
   * (unverified).
   */
  repeatedTaskName?: 'refuse' | 'accept';
  /**
   * Groups that are not of class STANDARD. Default 'accept' (older documentation says refused;
   * unverified).
   */
  nonStandardLogClass?: 'refuse' | 'accept';
  /**
   * HTTP status of a played ServiceUnavailableException. Default 500 (documentation; 503 is
   * possible).
   */
  serviceUnavailableStatus?: 500 | 503;

  /**
   * Which time of an event `from` and `to` are compared with. Default 'timestamp' (service model);
   * 'ingestion' is the user guide's. Which one holds is unverified.
   */
  eventRange?: 'timestamp' | 'ingestion';
  /**
   * Whether an event at `to` is exported. Default 'inclusive' with timestamps (service model),
   * 'exclusive' with ingestion times (user guide).
   */
  rangeEnd?: 'inclusive' | 'exclusive';
  /** The prefix that keys begin with, as `shownPrefix`. Default 'given' (unverified). */
  keyPrefix?: 'given' | 'trimmed';
  /**
   * Bytes of text after which a stream goes on in the next .gz file. Default 64 MiB (unverified).
   */
  rolloverBytes?: number;
  /** Whether the last line of a file ends in a newline. Default true (unverified). */
  trailingNewline?: boolean;
  /**
   * PutLogEvents rejects older events. Default 14 days (documentation); Infinity takes old samples.
   */
  maxEventAgeMs?: number;
  /** PutLogEvents rejects events further in the future. Default 2 h (documentation). */
  maxEventAheadMs?: number;
}
