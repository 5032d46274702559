import { makeRandom } from '../control/random.ts';
import { createChecks, type EmulatorOptions } from './options.ts';
import { checkOptions } from './rules.ts';

/** The options with every default filled in. */
export type Settings = ReturnType<typeof withDefaults>;

/** The options of a running emulator, to be read and changed. */
export interface OptionControl {
  /** Every option that is set, by itself or by default. */
  all(): EmulatorOptions;
  /**
   * Changes options; null brings a default back. Tasks that run keep the times they began with.
   * Throws on an unknown option, an unfit value, and what can only be set at the start.
   */
  change(changes: Record<string, unknown>): void;
}

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
  maxEventAgeMs: 14 * 24 * hourMs,
  maxEventAheadMs: 2 * hourMs,
} satisfies EmulatorOptions;

/**
 * Makes the settings of an emulator, which change in place: whoever has them sees the change.
 * Throws on an option that is not known or does not fit.
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
