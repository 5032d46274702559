import { exportTaskStatusCodes } from '../logs/exports/export-task-status.ts';
import { configError } from './config-error.ts';
import { createChecks, type EmulatorOptions } from './options.ts';
import {
  among,
  anyText,
  isNumber,
  isRecord,
  isText,
  milliseconds,
  oneOf,
  type Rule,
  recordOf,
  trueOrFalse,
  wholeNumber,
} from './rule.ts';

/** The valid values of an option. */
interface OptionRule extends Rule {
  /** The option is read once, when the emulator opens. */
  isForStart?: true;
}

/** The highest port number of TCP. */
export const maxPort = 65_535;

const isPort = (value: unknown) =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= maxPort;
const count = wholeNumber(1);

const rules: Record<keyof EmulatorOptions, OptionRule> = {
  host: { ...anyText, isForStart: true },
  port: { must: `a port number from 0 to ${maxPort}`, fits: isPort, isForStart: true },
  dataDir: { must: 'the path of a directory', fits: isText, isForStart: true },
  startAt: { must: 'a number, epoch ms', fits: isNumber, isForStart: true },
  journalLimit: { ...count, isForStart: true },
  accountId: anyText,
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
  deniedActions: {
    must: 'lists of actions such as s3:ListBucket, by role ARN or access key, or by *',
    fits: recordOf((actions) => Array.isArray(actions) && actions.every(isText)),
  },
  pendingMs: milliseconds,
  runningMs: {
    must: 'a number of milliseconds, or the least and the most in a list',
    fits: (value) =>
      isNumber(value) ||
      (Array.isArray(value) && value.length === 2 && value.every(isNumber) && value[0] <= value[1]),
  },
  randomSeed: { must: 'a number', fits: (value) => typeof value === 'number' },
  pendingCancelMs: milliseconds,
  taskTimeoutMs: milliseconds,
  activeTaskLimit: count,
  rateLimits: {
    must: '"aws", "off", or calls a second by operation',
    fits: (value) => value === 'aws' || value === 'off' || recordOf(isNumber)(value),
  },
  pendingCancelHoldsSlot: trueOrFalse,
  pendingCancelIsCancellable: trueOrFalse,
  pendingCancelMessage: anyText,
  cancelledMessage: anyText,
  cancelledWhileRunning: oneOf('cancelled', 'completes'),
  shownStatusCodes: {
    must: `texts by status code (${exportTaskStatusCodes.join(', ')})`,
    fits: (value) =>
      recordOf(isText)(value) && Object.keys(value as object).every(among(exportTaskStatusCodes)),
  },
  pendingHasExecutionInfo: trueOrFalse,
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
  organizationId: anyText,
  doubleEncryption: oneOf('refuse', 'accept'),
  keySource: oneOf('given', 'absent'),
  encryptionMessage: anyText,
  otherRegionBucket: oneOf('refuse', 'accept'),
  otherRegionBucketMessage: anyText,
  fromAfterTo: oneOf('refuse', 'accept'),
  repeatedTaskName: oneOf('refuse', 'accept'),
  nonStandardLogClass: oneOf('refuse', 'accept'),
  serviceUnavailableStatus: oneOf(500, 503),
  eventRange: oneOf('timestamp', 'ingestion'),
  rangeEnd: oneOf('inclusive', 'exclusive'),
  keyPrefix: oneOf('given', 'trimmed'),
  rolloverBytes: count,
  trailingNewline: trueOrFalse,
  expiredEvents: oneOf('hidden', 'kept'),
  emptyEventPages: wholeNumber(0),
  queryMs: milliseconds,
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
