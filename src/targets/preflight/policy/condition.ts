import { matchArn, matchPattern, matchText } from './pattern.ts';
import { isObject, textsOf } from './policy-document.ts';
import { anyOf, negate, type Truth } from './truth.ts';

/**
 * The condition keys of a request, in lower case: a value, or null if the request certainly lacks the
 * key. All other keys are unknown.
 */
export type ConditionKeys = Readonly<Record<string, string | null>>;

/** Whether one condition of a statement holds, and its operator and key for texts. */
export interface ConditionTruth {
  truth: Truth;
  /** Such as `StringNotEquals aws:SourceVpce`. */
  name: string;
}

/** Evaluates each condition of a statement. All must hold. */
export function evaluateConditions(condition: unknown, keys: ConditionKeys): ConditionTruth[] {
  if (condition === undefined) return [];
  if (!isObject(condition)) return [{ truth: undefined, name: 'Condition' }];
  return Object.entries(condition).flatMap(([operator, wanted]) =>
    isObject(wanted)
      ? Object.entries(wanted).map(([key, values]) => ({
          truth: holds(operator, textsOf(values), valueFor(key.toLowerCase(), keys)),
          name: `${operator} ${key}`,
        }))
      : [{ truth: undefined, name: operator }],
  );
}

// A policy can name any key, such as "constructor".
const valueFor = (key: string, keys: ConditionKeys) =>
  Object.hasOwn(keys, key) ? keys[key] : undefined;

const ignoreCase = (compare: typeof matchText) => (value: string, wanted: string) =>
  compare(value.toLowerCase(), wanted.toLowerCase());

/** The comparisons for the keys that we know: texts, ARNs and booleans. */
const comparisons = new Map<string, (value: string, wanted: string) => Truth>([
  ['StringEquals', matchText],
  ['StringEqualsIgnoreCase', ignoreCase(matchText)],
  ['StringLike', matchPattern],
  ['ArnEquals', matchArn],
  ['ArnLike', matchArn],
  ['Bool', ignoreCase(matchText)],
]);

/** Operators for values that no key has which we know. They matter if the key is absent. */
const others =
  /^(?:Numeric(?:Equals|LessThan|LessThanEquals|GreaterThan|GreaterThanEquals)|Date(?:Equals|LessThan|LessThanEquals|GreaterThan|GreaterThanEquals)|IpAddress|BinaryEquals)$/;

const parts = /^(?:(ForAnyValue|ForAllValues):)?(\w+?)(IfExists)?$/;

/** Whether a condition holds for a value; null for an absent key, `undefined` for an unknown one. */
function holds(
  operator: string,
  wanted: readonly string[],
  value: string | null | undefined,
): Truth {
  const [, set, base = '', ifExists] = parts.exec(operator) ?? [];
  if (value === undefined) return undefined;
  if (base === 'Null') {
    return set || ifExists ? undefined : anyOf(wanted.map((one) => matchNull(one, value)));
  }
  const isNegated = base.includes('Not');
  const positive = base.replace('Not', '');
  const compare = comparisons.get(positive);
  if (!compare && !others.test(positive)) return undefined;
  if (value === null) return holdsWithout(set, ifExists, isNegated);
  if (!compare) return undefined;
  const isAny = anyOf(wanted.map((one) => compare(value, one)));
  return isNegated ? negate(isAny) : isAny;
}

/** Whether a condition holds without its key (user guide of IAM, "Condition operators", "Multivalued"). */
function holdsWithout(
  set: string | undefined,
  ifExists: string | undefined,
  isNegated: boolean,
): Truth {
  if (set === 'ForAllValues') return true;
  if (set === 'ForAnyValue') return ifExists ? undefined : false;
  return isNegated || ifExists !== undefined;
}

function matchNull(wanted: string, value: string | null): Truth {
  return wanted === 'true' || wanted === 'false' ? wanted === String(value === null) : undefined;
}
