import type { ExportTaskStatusCode } from '../logs/exports/export-task-status.ts';

/** The checks of CreateExportTask after the validation of its members. */
export const createChecks = [
  'bucket',
  'bucketRegion',
  'logGroup',
  'bucketPolicy',
  'encryption',
  'activeLimit',
] as const;

/** One of the checks of CreateExportTask. */
export type CreateCheck = (typeof createChecks)[number];

/** A rule for `sts:AssumeRole` of one role. */
export interface RoleRule {
  /** The external id that every call needs. A wrong or missing one is AccessDenied. */
  externalId?: string;
  /**
   * Whether every call is AccessDenied, as for a missing role or one that does not trust the
   * caller.
   */
  refuses?: boolean;
}

/** All options. "Unverified" marks behaviour of AWS that is neither documented nor recorded. */
export interface EmulatorOptions {
  /** Address to listen on. Default 127.0.0.1. */
  host?: string;
  /** Port to listen on. Default 0: any free port. */
  port?: number;
  /** Directory that keeps buckets and objects over a restart. Default: memory only. */
  dataDir?: string | undefined;
  /**
   * Instant in epoch ms at which the clock stands still until a test changes it. Default: real
   * time.
   */
  startAt?: number;
  /** Account of every access key that is not in `accountsByAccessKey`. Default 123456789012. */
  accountId?: string;
  /** Account ids by access key. Default none. */
  accountsByAccessKey?: Record<string, string>;
  /** Rules by role ARN. A role without a rule can be assumed by every caller. Default none. */
  roles?: Record<string, RoleRule>;
  /**
   * Actions that the policies of a role or of an access key do not allow, by role ARN or access key; `*`
   * is every caller. They apply to CloudWatch Logs, S3 and KMS. A pattern such as `s3:Get*` names many.
   * Default none.
   */
  deniedActions?: Record<string, readonly string[]>;
  /** Number of journal entries that are kept. Default 100,000. */
  journalLimit?: number;

  /** Time in PENDING. Default 500; AWS takes from part of a second to hours. */
  pendingMs?: number;
  /**
   * Time in RUNNING. Of two numbers, each task gets a random time between them. Default 1000; small
   * exports take a second or two.
   */
  runningMs?: number | readonly [least: number, most: number];
  /** Seed of random times. Default 1: the same times in every run. */
  randomSeed?: number;
  /** Time in PENDING_CANCEL. Default 100 (unverified). */
  pendingCancelMs?: number;
  /**
   * Age at which an active task ends FAILED. Default 24 h (documentation; the status is
   * unverified).
   */
  taskTimeoutMs?: number;
  /** Active (PENDING or RUNNING) tasks per account and Region. Default 1 (documentation). */
  activeTaskLimit?: number;
  /**
   * Calls per second for each account, Region and operation. 'aws' (default): the documented quotas,
   * with a burst of one second (unverified). 'off': no quotas. An object replaces single quotas.
   */
  rateLimits?: 'aws' | 'off' | Partial<Record<string, number>>;

  /**
   * Whether PENDING_CANCEL holds the slot. Default false: the quota counts PENDING and RUNNING
   * (unverified).
   */
  pendingCancelHoldsSlot?: boolean;
  /** Whether a PENDING_CANCEL task can be cancelled again. Default false (unverified). */
  pendingCancelIsCancellable?: boolean;
  /** status.message of PENDING_CANCEL. Default absent (unverified). */
  pendingCancelMessage?: string;
  /** status.message of CANCELLED. Default absent (unverified). */
  cancelledMessage?: string;
  /** The end of a task that was cancelled while RUNNING. Default 'cancelled' (unverified). */
  cancelledWhileRunning?: 'cancelled' | 'completes';
  /**
   * Codes that DescribeExportTasks shows instead of those of the service model. A filter does not find
   * them. Default none.
   */
  shownStatusCodes?: Partial<Record<ExportTaskStatusCode, string>>;
  /** Whether a PENDING task has `executionInfo`. Default true (recorded right after a create). */
  pendingHasExecutionInfo?: boolean;
  /**
   * `destinationPrefix` in DescribeExportTasks: as given, or without a slash at its end. Default 'given'
   * (unverified).
   */
  shownPrefix?: 'given' | 'trimmed';

  /** Time for which DescribeExportTasks shows finished tasks. Default Infinity (unverified). */
  keepFinishedTasksMs?: number;
  /** Age at which a task appears in listings. By id it is found at once. Default 0 (unverified). */
  listedAfterMs?: number;
  /** Order of a listing with a status filter. Default 'newest-first' (unverified). */
  filteredOrder?: 'newest-first' | 'oldest-first' | 'by-id';
  /**
   * Pages of DescribeExportTasks without a task: none, one after the last task, or also one before each
   * page. Default 'never' (unverified).
   */
  emptyPages?: 'never' | 'last' | 'everywhere';
  /** Validity of a nextToken. Default 24 h (documentation). */
  nextTokenTtlMs?: number;

  /**
   * Order of the checks of CreateExportTask. A check that is not listed is skipped. Default: bucket,
   * bucketRegion, logGroup, bucketPolicy, encryption, activeLimit (unverified).
   */
  checkOrder?: readonly CreateCheck[];
  /**
   * Error code when the bucket policy does not permit the export. Default AccessDeniedException, seen
   * in 2026; InvalidParameterException was seen in 2023.
   */
  bucketPolicyErrorCode?: 'AccessDeniedException' | 'InvalidParameterException';
  /**
   * Suffix of the service principals of CloudWatch Logs outside of the partition `aws`: that of the
   * partition, `amazonaws.com`, or either. Default 'any' (sources disagree about China).
   */
  otherPartitionPrincipals?: 'any' | 'own-suffix' | 'amazonaws.com';
  /**
   * Organization of all accounts, for the condition keys aws:SourceOrgID and aws:PrincipalOrgID. Default
   * none.
   */
  organizationId?: string;
  /**
   * Whether a bucket with DSSE-KMS (`aws:kms:dsse`) is accepted. Default 'refuse' (documentation). The
   * error is the one for a key that CloudWatch Logs may not use.
   */
  doubleEncryption?: 'refuse' | 'accept';
  /**
   * Whether requests of CloudWatch Logs for a key have aws:SourceAccount and aws:SourceArn. Default 'given'
   * (unverified).
   */
  keySource?: 'given' | 'absent';
  /**
   * The message for a bucket whose encryption does not permit the export, with `bucketPolicyErrorCode`.
   * Default: that of a failed PutObject, the call that needs the key (unverified).
   */
  encryptionMessage?: string;
  /** Whether a bucket in another Region is accepted. Default 'refuse' (documentation). */
  otherRegionBucket?: 'refuse' | 'accept';
  /** The message for a bucket in another Region, an InvalidParameterException (unverified). */
  otherRegionBucketMessage?: string;
  /** Whether `from` after `to` is accepted. Default 'accept': an export without events (unverified). */
  fromAfterTo?: 'refuse' | 'accept';
  /**
   * Whether a used taskName is accepted, or a ResourceAlreadyExistsException. Default 'accept'
   * (unverified).
   */
  repeatedTaskName?: 'refuse' | 'accept';
  /**
   * Whether other log classes than STANDARD are accepted. Default 'accept' (unverified; older
   * documentation: no).
   */
  nonStandardLogClass?: 'refuse' | 'accept';
  /**
   * HTTP status of the fault ServiceUnavailableException. Default 500 (documentation; 503 is
   * possible).
   */
  serviceUnavailableStatus?: 500 | 503;

  /**
   * Time of an event that `from` and `to` apply to. Default 'timestamp' (service model); the user guide
   * says 'ingestion'. Which one holds is unverified.
   */
  eventRange?: 'timestamp' | 'ingestion';
  /**
   * Whether an event at `to` is exported. Default: 'inclusive' for timestamps (service model),
   * 'exclusive' for ingestion times (user guide).
   */
  rangeEnd?: 'inclusive' | 'exclusive';
  /** The prefix of keys: as given, or without a slash at its end. Default 'given' (unverified). */
  keyPrefix?: 'given' | 'trimmed';
  /** Bytes of text after which a stream continues in the next file. Default 64 MiB (unverified). */
  rolloverBytes?: number;
  /** Whether the last line of a file ends in a newline. Default true (unverified). */
  trailingNewline?: boolean;
  /**
   * Whether events older than the retention of their group are gone at once, for exports and for reads.
   * Default 'hidden' (unverified; AWS deletes them within 72 hours).
   */
  expiredEvents?: 'hidden' | 'kept';
  /**
   * Pages of FilterLogEvents with a token and without events, before each page. Default 0; AWS may send
   * any number (documentation).
   */
  emptyEventPages?: number;
  /** Time until a query of Logs Insights is Complete. Default 200; AWS takes a second or more. */
  queryMs?: number;
  /** Age above which PutLogEvents rejects an event. Default 14 days (documentation). */
  maxEventAgeMs?: number;
  /** Time in the future above which PutLogEvents rejects an event. Default 2 h (documentation). */
  maxEventAheadMs?: number;
}
