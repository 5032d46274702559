import { exportTaskStatusCodes } from '../logs/export-task-status.ts';
import { configError } from './config-error.ts';
import { createChecks, type EmulatorOptions } from './options.ts';

/** The valid values of an option, in words and as a test. */
interface Rule {
  must: string;
  fits(value: unknown): boolean;
  /** The option is read once, when the emulator opens. */
  isForStart?: true;
}

/** The highest port number of TCP. */
export const maxPort = 65_535;

const isPort = (value: unknown) =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= maxPort;
const isNumber = (value: unknown) => typeof value === 'number' && value >= 0;
const isText = (value: unknown) => typeof value === 'string';
const among = (values: readonly unknown[]) => (value: unknown) => values.includes(value);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const recordOf = (fits: Rule['fits']) => (value: unknown) =>
  isRecord(value) && Object.values(value).every(fits);

const milliseconds: Rule = { must: 'a number of milliseconds, 0 or more', fits: isNumber };
const count: Rule = {
  must: 'a whole number, 1 or more',
  fits: (value) => value === Infinity || (Number.isSafeInteger(value) && Number(value) >= 1),
};
const text: Rule = { must: 'text', fits: isText };
const flag: Rule = { must: 'true or false', fits: among([true, false]) };
const oneOf = (...values: (string | number)[]): Rule => ({
  must: `one of ${values.join(', ')}`,
  fits: among(values),
});

const rules: Record<keyof EmulatorOptions, Rule> = {
  host: { ...text, isForStart: true },
  port: { must: `a port number from 0 to ${maxPort}`, fits: isPort, isForStart: true },
  dataDir: { must: 'the path of a directory', fits: isText, isForStart: true },
  startAt: { must: 'a number, epoch ms', fits: isNumber, isForStart: true },
  journalLimit: { ...count, isForStart: true },
  accountId: text,
  accountsByAccessKey: { must: 'account ids by access key', fits: recordOf(isText) },
  roles: {
    must: 'objects with externalId or refuses, by role ARN',
    fits: recordOf(
      (rule) =>
        isRecord(rule) &&
        Object.keys(rule).every(among(['externalId', 'refuses'])) &&
        [rule.externalId ?? ''].every(isText),
    ),
  },
  pendingMs: milliseconds,
  runningMs: {
    must: 'a number of milliseconds, or the least and the most in a list',
    fits: (value) =>
      isNumber(value) || (Array.isArray(value) && value.length === 2 && value.every(isNumber)),
  },
  randomSeed: { must: 'a number', fits: (value) => typeof value === 'number' },
  pendingCancelMs: milliseconds,
  taskTimeoutMs: milliseconds,
  activeTaskLimit: count,
  rateLimits: {
    must: '"aws", "off", or calls a second by operation',
    fits: (value) => value === 'aws' || value === 'off' || recordOf(isNumber)(value),
  },
  pendingCancelHoldsSlot: flag,
  pendingCancelIsCancellable: flag,
  pendingCancelMessage: text,
  cancelledMessage: text,
  cancelledWhileRunning: oneOf('cancelled', 'completes'),
  shownStatusCodes: {
    must: `texts by status code (${exportTaskStatusCodes.join(', ')})`,
    fits: (value) =>
      recordOf(isText)(value) && Object.keys(value as object).every(among(exportTaskStatusCodes)),
  },
  pendingHasExecutionInfo: flag,
  shownPrefix: oneOf('given', 'trimmed'),
  keepFinishedTasksMs: milliseconds,
  listedAfterMs: milliseconds,
  filteredOrder: oneOf('newest-first', 'oldest-first', 'by-id'),
  emptyPages: oneOf('never', 'last', 'everywhere'),
  nextTokenTtlMs: milliseconds,
  checkOrder: {
    must: `a list out of ${createChecks.join(', ')}`,
    fits: (value) => Array.isArray(value) && value.every(among(createChecks)),
  },
  bucketPolicyErrorCode: oneOf('AccessDeniedException', 'InvalidParameterException'),
  otherPartitionPrincipals: oneOf('any', 'own-suffix', 'amazonaws.com'),
  otherRegionBucket: oneOf('refuse', 'accept'),
  otherRegionBucketMessage: text,
  fromAfterTo: oneOf('refuse', 'accept'),
  repeatedTaskName: oneOf('refuse', 'accept'),
  nonStandardLogClass: oneOf('refuse', 'accept'),
  serviceUnavailableStatus: oneOf(500, 503),
  eventRange: oneOf('timestamp', 'ingestion'),
  rangeEnd: oneOf('inclusive', 'exclusive'),
  keyPrefix: oneOf('given', 'trimmed'),
  rolloverBytes: count,
  trailingNewline: flag,
  maxEventAgeMs: milliseconds,
  maxEventAheadMs: milliseconds,
};

const rulesByName = new Map(Object.entries(rules));

/**
 * Checks the names and values of options. In a running emulator, null restores a default.
 * @throws an error named ConfigError for the first wrong option
 */
export function checkOptions(options: object, when: 'start' | 'running'): void {
  const refuse = (sentence: string) => {
    throw configError(sentence);
  };
  for (const [name, value] of Object.entries(options)) {
    const rule = rulesByName.get(name);
    if (!rule) {
      refuse(
        `The emulator has no option ${JSON.stringify(name)}; it has ${[...rulesByName.keys()].join(', ')}.`,
      );
    } else if (when === 'running' && rule.isForStart) {
      refuse(`The option ${name} of the emulator can only be set at its start.`);
    } else if (
      !(value === undefined || rule.fits(value) || (when === 'running' && value === null))
    ) {
      refuse(
        `The option ${name} of the emulator is ${JSON.stringify(value)}, but must be ${rule.must}.`,
      );
    }
  }
}
