import { makeRandom } from './control/random.ts';

/** Checks of CreateExportTask after validation of its members. */
export type CreateCheck = 'bucket' | 'bucketRegion' | 'logGroup' | 'bucketPolicy' | 'activeLimit';

/** What sts:AssumeRole does for one role. */
interface RoleRule {
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
  /** How long finished tasks stay in DescribeExportTasks. Default for ever (unverified). */
  keepFinishedTasksMs?: number;
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
   * Which events an export takes. Default 'timestamp': from ≤ timestamp ≤ to (service model).
   * 'ingestion': from ≤ ingestion time < to (user guide). Which one holds is unverified.
   */
  eventRange?: 'timestamp' | 'ingestion';
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

/** The options with every default filled in. */
export type Settings = ReturnType<typeof withDefaults>;

/** Documented quotas in calls a second, per account and Region. */
const awsRateLimits: Partial<Record<string, number>> = {
  CreateExportTask: 5,
  DescribeExportTasks: 5,
  CancelExportTask: 5,
  CreateLogGroup: 10,
  CreateLogStream: 50,
  DescribeLogGroups: 10,
  DescribeLogStreams: 25,
  PutLogEvents: 5000,
};

const hourMs = 3_600_000;

const defaults = {
  host: '127.0.0.1',
  port: 0,
  accountId: '123456789012',
  accountsByAccessKey: {},
  roles: {},
  journalLimit: 100_000,
  pendingMs: 500,
  runningMs: 1000,
  randomSeed: 1,
  pendingCancelMs: 100,
  taskTimeoutMs: 24 * hourMs,
  activeTaskLimit: 1,
  pendingCancelHoldsSlot: false,
  pendingCancelIsCancellable: false,
  keepFinishedTasksMs: Infinity,
  nextTokenTtlMs: 24 * hourMs,
  checkOrder: ['bucket', 'bucketRegion', 'logGroup', 'bucketPolicy', 'activeLimit'],
  bucketPolicyErrorCode: 'AccessDeniedException',
  otherRegionBucket: 'refuse',
  otherRegionBucketMessage: 'The given bucket is not in the same Region as the log group.',
  fromAfterTo: 'accept',
  repeatedTaskName: 'accept',
  nonStandardLogClass: 'accept',
  serviceUnavailableStatus: 500,
  eventRange: 'timestamp',
  rolloverBytes: 64 * 1024 * 1024,
  trailingNewline: true,
  maxEventAgeMs: 14 * 24 * hourMs,
  maxEventAheadMs: 2 * hourMs,
} satisfies EmulatorOptions;

/** Fills in the defaults. */
export function withDefaults(options: EmulatorOptions) {
  const { rateLimits = 'aws', randomSeed = defaults.randomSeed } = options;
  const overrides = typeof rateLimits === 'object' ? rateLimits : {};
  return {
    ...(defaults as Required<Pick<EmulatorOptions, keyof typeof defaults>>),
    ...options,
    rateLimits: rateLimits === 'off' ? {} : { ...awsRateLimits, ...overrides },
    random: makeRandom(randomSeed),
  };
}
