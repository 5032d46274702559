import { Type } from '@sinclair/typebox';

import { configError } from '#problems/config-error.ts';
import { configuredAccount, type TargetSettings } from '#targets/target.ts';
import { type FileVariable, fileError, readSettingsFile } from '#validation/settings.ts';
import { region, roleArn } from './variables/rules.ts';

/** What the targets must fulfil. It does not change while the process runs. */
export interface TargetRules {
  /** Whether each create uses its own role session, limited to its log group and destination. */
  isSessionScoped: boolean;
  /** Whether only one target may use the slot of an account and Region, because export jobs are on. */
  isSlotExclusive: boolean;
}

const maxArnLength = 512; // names have at most 256 characters

const TargetsFile = Type.Array(
  Type.Object(
    {
      name: Type.String({
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
        'x-rule': '1 to 64 of the characters A-Z a-z 0-9 . _ -, beginning with a letter or digit',
      }),
      region: { ...region, 'x-rule': 'an AWS Region such as eu-west-1' },
      accountId: Type.Optional(
        Type.String({ pattern: '^[0-9]{12}$', 'x-rule': 'an account id of 12 digits' }),
      ),
      roleArn: Type.Optional({ ...roleArn, 'x-rule': 'the ARN of an IAM role' }),
      externalId: Type.Optional(
        Type.String({
          pattern: '^[A-Za-z0-9_+=,.@:/-]{2,1224}$',
          'x-rule': '2 to 1224 of the characters A-Z a-z 0-9 _ + = , . @ : / -',
          'x-secret': true, // like a password: neither the log nor a message shows it
        }),
      ),
      snsTopicArn: Type.Optional(
        Type.String({
          pattern: String.raw`^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+(?:\.fifo)?$`,
          maxLength: maxArnLength,
          'x-rule': 'the ARN of an SNS topic',
        }),
      ),
      eventBusArn: Type.Optional(
        Type.String({
          pattern: String.raw`^arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/[\w./-]+$`,
          maxLength: maxArnLength,
          'x-rule': 'the ARN of an EventBridge event bus',
        }),
      ),
    },
    {
      additionalProperties: false,
      'x-rule':
        'an object with name and region, and optionally accountId, roleArn, externalId, snsTopicArn, eventBusArn',
    },
  ),
  { minItems: 1, 'x-rule': 'an array of at least one target' },
);

/** Reads TARGETS_FILE. @throws an error named ConfigError */
export function readTargets(
  variable: FileVariable,
  readFile: (path: string) => string,
): TargetSettings[] {
  const targets = readSettingsFile(variable, TargetsFile, readFile);
  const names = new Set<string>();
  for (const { name } of targets) {
    if (names.has(name)) {
      throw fileError(
        variable,
        `the name ${JSON.stringify(name)} occurs twice; give each target its own name.`,
      );
    }
    names.add(name);
  }
  return targets;
}

/** Checks targets together. @throws an error named ConfigError */
export function checkTargets(
  targets: readonly TargetSettings[],
  { isSessionScoped, isSlotExclusive }: TargetRules,
): void {
  const without = targets.find((target) => target.roleArn === undefined);
  if (isSessionScoped && without) {
    throw configError(
      `SCOPED_SESSIONS is "on", but target "${without.name}" has no role to assume; set SERVICE_ROLE_ARN, or its roleArn in TARGETS_FILE.`,
    );
  }
  if (isSlotExclusive) refuseSharedSlots(targets);
  for (const target of targets) refuseFarSinks(target, isSlotExclusive);
}

/** Refuses a topic or an event bus that the client of the target cannot reach, or that gets no event. */
function refuseFarSinks(target: TargetSettings, hasJobs: boolean): void {
  const { name, region } = target;
  for (const member of ['snsTopicArn', 'eventBusArn'] as const) {
    const arn = target[member];
    if (arn === undefined) continue;
    if (!hasJobs) {
      throw configError(
        `Target "${name}" has ${member}, but EXPORT_JOBS is "off", so there are no events; remove it, or set EXPORT_JOBS=on.`,
      );
    }
    if (arn.split(':')[3] !== region) {
      throw configError(
        `Target "${name}" is in ${region}, but its ${member} is ${arn}; it must be in the same Region.`,
      );
    }
  }
}

/**
 * Refuses two targets of one account and Region: they share one slot, so they must share one queue. The
 * account of a target with neither role nor accountId is not known before STS answers.
 */
function refuseSharedSlots(targets: readonly TargetSettings[]): void {
  const names = new Map<string, string>();
  for (const target of targets) {
    const account = configuredAccount(target);
    const place = `${account === undefined ? 'the account of the default credentials' : `account ${account}`} in ${target.region}`;
    const other = names.get(place);
    if (other !== undefined) {
      throw configError(
        `Targets "${other}" and "${target.name}" are both ${place}, where AWS runs one export task at a time; remove one of them, or set EXPORT_JOBS=off.`,
      );
    }
    names.set(place, target.name);
  }
}
