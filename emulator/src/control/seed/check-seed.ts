import type { ExportOrder } from '../../logs/exports/export-tasks.ts';
import {
  checkMembers,
  mandatory,
  namesOf,
  objectWith,
  type RulesOf,
} from '../../options/check-members.ts';
import {
  anyText,
  isText,
  milliseconds,
  oneOf,
  type Rule,
  trueOrFalse,
  wholeNumber,
} from '../../options/rule.ts';
import type { BucketSettings } from '../../s3/configurations.ts';
import type { Seed } from './seed.ts';

type SeedOf<Name extends keyof Seed> = Parameters<Seed[Name]>[0];
type SeededEvent = SeedOf<'logEvents'>['events'][number];

const instant: Rule = {
  must: 'a number, epoch ms',
  fits: (value) => typeof value === 'number',
};
const exactInstant: Rule = {
  must: 'a whole number, epoch ms',
  fits: (value) => typeof value === 'bigint' || Number.isSafeInteger(value),
};
const name: Rule = {
  must: 'text of at least one character',
  fits: (value) => isText(value) && value !== '',
};
const listOf = ({ must, fits }: Rule): Rule => ({
  must: `a list; each item is ${must}`,
  fits: (value) => Array.isArray(value) && value.every(fits),
});
const orNull = ({ must, fits }: Rule): Rule => ({
  must: `${must}, or null`,
  fits: (value) => value === null || fits(value),
});
const policy: Rule = { must: 'a policy as text', fits: isText };
// Computed: a property that is named like a boolean must be one, and a rule is none.
const flag = <Name extends string>(name: Name) => ({ [name]: trueOrFalse }) as Record<Name, Rule>;
const place = { accountId: anyText, region: anyText };

const wholeInstant: Rule = { must: exactInstant.must, fits: Number.isSafeInteger };
const eventRules: RulesOf<SeededEvent> = {
  timestamp: mandatory(wholeInstant),
  message: mandatory(anyText),
  ingestedAt: wholeInstant,
};

const orderRules: RulesOf<Partial<ExportOrder>> = {
  taskName: anyText,
  logGroupName: anyText,
  logStreamNamePrefix: anyText,
  from: exactInstant,
  to: exactInstant,
  destination: anyText,
  destinationPrefix: anyText,
};

const encryptionRules: RulesOf<NonNullable<BucketSettings['encryption']>> = {
  algorithm: mandatory(oneOf('AES256', 'aws:kms', 'aws:kms:dsse')),
  keyId: anyText,
  ...flag('hasBucketKey'),
};

const objectLockRules: RulesOf<NonNullable<BucketSettings['objectLock']>> = {
  mode: oneOf('GOVERNANCE', 'COMPLIANCE'),
  days: wholeNumber(1),
};

const lifecycleRules: RulesOf<NonNullable<BucketSettings['lifecycle']>[number]> = {
  id: anyText,
  prefix: anyText,
  expirationDays: wholeNumber(1),
  ...flag('isEnabled'),
};

const rulesBySeed: { readonly [Name in keyof Seed]: RulesOf<SeedOf<Name>> } = {
  logGroup: {
    logGroupName: mandatory(name),
    createdAt: instant,
    logGroupClass: anyText,
    retentionInDays: wholeNumber(1),
    retentionPolicyName: anyText,
    ...flag('isDeletionProtected'),
    ...place,
  },
  logEvents: {
    logGroupName: mandatory(name),
    logStreamName: mandatory(name),
    events: mandatory({ must: 'a list of log events', fits: Array.isArray }),
    ...place,
  },
  bucket: {
    bucket: mandatory(name),
    policy: orNull(policy),
    encryption: objectWith(encryptionRules),
    objectOwnership: orNull(oneOf('BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter')),
    objectLock: objectWith(objectLockRules),
    lifecycle: listOf(objectWith(lifecycleRules)),
    publicAccessBlock: orNull(trueOrFalse),
    ...place,
  },
  key: {
    keyId: name,
    alias: {
      must: 'text that begins with alias/',
      fits: (value) => /^alias\//.test(String(value)),
    },
    state: oneOf('Enabled', 'Disabled', 'PendingDeletion', 'PendingImport'),
    policy,
    ...place,
  },
  topic: { name: mandatory(name), ...place },
  finishedTasks: {
    count: mandatory(wholeNumber(1)),
    spacingMs: milliseconds,
    taskId: name,
    order: objectWith(orderRules),
    ...place,
  },
  foreignTask: {
    durationMs: mandatory(milliseconds),
    taskId: name,
    order: objectWith(orderRules),
    ...place,
  },
  taskFailure: { taskId: mandatory(name) },
};

/** The functions of the seed, and the members that are objects, with the names of their members. */
export const seedMembers = Object.entries({
  ...rulesBySeed,
  events: eventRules,
  order: orderRules,
  encryption: encryptionRules,
  objectLock: objectLockRules,
  lifecycle: lifecycleRules,
}).map(([name, rules]) => ({ name, ...namesOf(rules) }));

/** Makes the functions of a seed check their argument first. They throw an error for the first mistake. */
export function withChecks(seed: Seed): Seed {
  const checked = Object.entries(seed).map(([name, act]) => [
    name,
    (value: never) => {
      const rules = rulesBySeed[name as keyof Seed];
      checkMembers(`The seed ${name}`, `the seed ${name}`, value, rules);
      return act(value);
    },
  ]);
  return Object.fromEntries(checked) as Seed;
}

/**
 * Checks the events of a seed.
 * @throws an error for the first mistake
 */
export function checkEvents(events: readonly SeededEvent[]): void {
  for (const [index, event] of events.entries()) {
    checkMembers(`Event ${index} of the seed`, `event ${index} of the seed`, event, eventRules);
  }
}
