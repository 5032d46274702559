import {
  checkMembers,
  mandatory,
  namesOf,
  type Rules,
  type RulesOf,
} from '../../options/check-members.ts';
import {
  anyText,
  isText,
  milliseconds,
  oneOf,
  type Rule,
  recordOf,
  trueOrFalse,
  wholeNumber,
} from '../../options/rule.ts';
import type { Fault } from './fault.ts';

const objectCount: Rule = {
  must: 'a whole number, 1 or more, or "all"',
  fits: (value) => value === 'all' || wholeNumber(1).fits(value),
};

type Kind = Fault['kind'];
type CommonMember =
  | 'operation'
  | 'logGroupName'
  | 'accountId'
  | 'longerThanMs'
  | 'containsMs'
  | 'count'
  | 'skip';
type OwnMembers<K extends Kind> = Omit<Extract<Fault, { kind: K }>, CommonMember | 'kind'>;

const common: RulesOf<Pick<Fault, CommonMember | 'kind'>> = {
  kind: mandatory(anyText),
  operation: mandatory({
    must: 'a name such as CreateExportTask, or *',
    fits: (value) => isText(value) && value !== '',
  }),
  logGroupName: anyText,
  accountId: anyText,
  longerThanMs: milliseconds,
  containsMs: milliseconds,
  count: wholeNumber(1),
  skip: wholeNumber(0),
};

const byKind: { readonly [K in Kind]: RulesOf<OwnMembers<K>> } = {
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
  'replace-body': { body: mandatory(anyText), contentType: anyText },
  'late-effect': { delayMs: mandatory(milliseconds), meanwhile: oneOf('reset', 'silence') },
  'stale-listing': { lagMs: mandatory(milliseconds) },
  delay: { ms: mandatory(milliseconds), afterEffect: trueOrFalse },
  'foreign-task': { durationMs: mandatory(milliseconds) },
  'task-fails': {},
  'task-runs': { runningMs: mandatory(milliseconds) },
  'objects-missing': { missing: mandatory(objectCount) },
  'objects-late': { delayMs: mandatory(milliseconds), of: objectCount },
  'object-truncated': {},
  'entries-fail': { failed: wholeNumber(1), code: anyText, message: anyText },
};

const rulesByKind: ReadonlyMap<string, Rules> = new Map(Object.entries(byKind));

/** The names of the members that all faults have. */
export const commonFaultMembers = namesOf(common);

/** The kinds of faults with the names of the members that only they have. */
export const faultMembers = [...rulesByKind].map(([kind, rules]) => ({
  name: kind,
  ...namesOf(rules),
}));

/**
 * Checks a fault.
 * @throws an error for the first mistake
 */
export function checkFault(fault: Fault): void {
  const { kind } = fault;
  const own = rulesByKind.get(kind);
  if (!own) {
    throw new Error(
      `Unknown kind of fault: ${kind}. Known kinds: ${[...rulesByKind.keys()].join(', ')}.`,
    );
  }
  checkMembers(`A fault of the kind ${kind}`, 'a fault', fault, { ...common, ...own });
}
