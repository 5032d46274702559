import { makeRandom } from '../control/random.ts';
import { createChecks, type EmulatorOptions } from './options.ts';
import { checkOptions } from './rules.ts';

/** The options with all defaults. */
export type Settings = ReturnType<typeof withDefaults>;

/** Reads and changes the options of a running emulator. */
export interface OptionControl {
  /** All options that have a value. */
  all(): EmulatorOptions;
  /**
   * Changes options; null restores a default. Running tasks keep their times.
   * @throws an error for an unknown option, a wrong value, or an option for the start only
   */
  change(changes: Record<string, unknown>): void;
}

/** Documented quotas in calls per second, for each account and Region. */
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

/** The message when a call of CloudWatch Logs to the bucket fails (seen for GetBucketAcl). */
export function failedCallMessage(call: 'GetBucketAcl' | 'PutObject'): string {
  return `${call} call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.`;
}

const hourMs = 3_600_000;

const defaults = {
  host: '127.0.0.1',
  port: 0,
  accountId: '123456789012',
  accountsByAccessKey: {},
  roles: {},
  deniedActions: {},
  journalLimit: 100_000,
  pendingMs: 500,
  runningMs: 1000,
  randomSeed: 1,
  pendingCancelMs: 100,
  taskTimeoutMs: 24 * hourMs,
  activeTaskLimit: 1,
  pendingCancelHoldsSlot: false,
  pendingCancelIsCancellable: false,
  cancelledWhileRunning: 'cancelled',
  shownStatusCodes: {},
  pendingHasExecutionInfo: true,
  shownPrefix: 'given',
  keepFinishedTasksMs: Infinity,
  listedAfterMs: 0,
  filteredOrder: 'newest-first',
  emptyPages: 'never',
  nextTokenTtlMs: 24 * hourMs,
  checkOrder: createChecks,
  bucketPolicyErrorCode: 'AccessDeniedException',
  otherPartitionPrincipals: 'any',
  doubleEncryption: 'refuse',
  keySource: 'given',
  encryptionMessage: failedCallMessage('PutObject'),
  otherRegionBucket: 'refuse',
  otherRegionBucketMessage: 'The given bucket is not in the same Region as the log group.',
  fromAfterTo: 'accept',
  repeatedTaskName: 'accept',
  nonStandardLogClass: 'accept',
  serviceUnavailableStatus: 500,
  eventRange: 'timestamp',
  keyPrefix: 'given',
  rolloverBytes: 64 * 1024 * 1024,
  trailingNewline: true,
  expiredEvents: 'hidden',
  emptyEventPages: 0,
  queryMs: 200,
  maxEventAgeMs: 14 * 24 * hourMs,
  maxEventAheadMs: 2 * hourMs,
} satisfies EmulatorOptions;

/**
 * Makes the settings of an emulator. They change in place, so every holder sees a change.
 * @throws an error named ConfigError for a wrong option
 */
export function makeSettings(options: EmulatorOptions): {
  settings: Settings;
  control: OptionControl;
} {
  checkOptions(options, 'start');
  let given = options;
  const settings = withDefaults(given);

  return {
    settings,
    control: {
      all: () => ({ ...defaults, rateLimits: 'aws', ...given }),
      change(changes) {
        checkOptions(changes, 'running');
        const merged = Object.entries({ ...given, ...changes });
        given = Object.fromEntries(merged.filter(([, value]) => value !== null));
        const { random } = settings;
        for (const name of Object.keys(changes)) delete settings[name as keyof Settings];
        Object.assign(settings, withDefaults(given), 'randomSeed' in changes ? {} : { random });
      },
    },
  };
}

function withDefaults(options: EmulatorOptions) {
  const { rateLimits = 'aws', eventRange = defaults.eventRange } = options;
  const overrides = typeof rateLimits === 'object' ? rateLimits : {};
  return {
    ...(defaults as Required<Pick<EmulatorOptions, keyof typeof defaults>>),
    rangeEnd: eventRange === 'timestamp' ? ('inclusive' as const) : ('exclusive' as const),
    ...options,
    rateLimits: rateLimits === 'off' ? {} : { ...awsRateLimits, ...overrides },
    random: makeRandom(options.randomSeed ?? defaults.randomSeed),
  };
}
