import {
  anyText,
  isText,
  milliseconds,
  oneOf,
  type Rule,
  recordOf,
  trueOrFalse,
  wholeNumber,
} from '../options/rule.ts';

type MemberRule = Rule & { isRequired?: true };

const required = (rule: Rule): MemberRule => ({ ...rule, isRequired: true });

const objectCount: Rule = {
  must: 'a whole number, 1 or more, or "all"',
  fits: (value) => value === 'all' || wholeNumber(1).fits(value),
};

const common: Record<string, MemberRule> = {
  kind: anyText,
  operation: {
    must: 'a name such as CreateExportTask, or *',
    fits: (value) => isText(value) && value !== '',
    isRequired: true,
  },
  logGroupName: anyText,
  accountId: anyText,
  count: wholeNumber(1),
  skip: wholeNumber(0),
};

const byKind = {
  'reset-before': {},
  'reset-after': {},
  'silence-before': {},
  'silence-after': {},
  error: {
    status: {
      must: 'an HTTP status from 200 to 599',
      fits: (value) => Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599,
    },
    code: anyText,
    message: anyText,
    headers: { must: 'texts by name', fits: recordOf(isText) },
    rawBody: anyText,
    afterEffect: trueOrFalse,
  },
  'cut-body': {},
  'stall-body': {},
  'replace-body': { body: required(anyText), contentType: anyText },
  'late-effect': { delayMs: required(milliseconds), meanwhile: oneOf('reset', 'silence') },
  'stale-listing': { lagMs: required(milliseconds) },
  delay: { ms: required(milliseconds) },
  'foreign-task': { durationMs: required(milliseconds) },
  'task-fails': {},
  'objects-missing': { missing: required(objectCount) },
  'objects-late': { delayMs: required(milliseconds), of: objectCount },
  'object-truncated': {},
} satisfies Record<string, Record<string, MemberRule>>;

const rulesByKind: ReadonlyMap<string, ReadonlyMap<string, MemberRule>> = new Map(
  Object.entries(byKind).map(([kind, own]) => [
    kind,
    new Map(Object.entries({ ...common, ...own })),
  ]),
);

/**
 * Checks a fault. If a mistake were ignored, a test could pass for the wrong reason.
 * @throws an error for the first mistake
 */
export function checkFault(fault: { kind: keyof typeof byKind }): void {
  const { kind } = fault;
  const rules = rulesByKind.get(kind);
  if (!rules) {
    throw new Error(
      `Unknown kind of fault: ${kind}. Known kinds: ${[...rulesByKind.keys()].join(', ')}.`,
    );
  }
  for (const name of Object.keys(fault).filter((name) => !rules.has(name))) {
    throw new Error(
      `A fault of the kind ${kind} has no member ${JSON.stringify(name)}; it has ${[...rules.keys()].join(', ')}.`,
    );
  }
  const values = new Map<string, unknown>(Object.entries(fault));
  for (const [name, { must, fits, isRequired }] of rules) {
    const value = values.get(name);
    if (value === undefined && isRequired) {
      throw new Error(`A fault of the kind ${kind} needs ${name}: ${must}.`);
    }
    if (value !== undefined && !fits(value)) {
      throw new Error(`${name} of a fault is ${JSON.stringify(value)}, but must be ${must}.`);
    }
  }
}
