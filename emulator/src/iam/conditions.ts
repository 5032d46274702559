import { isArnLike, isLike } from './pattern.ts';

/** The condition keys of a request. Their names ignore case, and a key may have several values. */
export type ConditionContext = Record<string, string | readonly string[]>;

/** Whether all conditions of a statement hold. */
export function conditionsHold(condition: unknown, context: ConditionContext): boolean {
  const present = new Map(
    Object.entries(context).map(([key, value]) => [key.toLowerCase(), [value].flat()]),
  );
  return Object.entries(condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys ?? {}).every(([key, wanted]) =>
      conditionHolds(operator, textsOf(wanted), present.get(key.toLowerCase())),
    ),
  );
}

/** The texts of an element of a policy: one value or a list. */
export function textsOf(value: unknown): string[] {
  return [value ?? []].flat().map(String);
}

type Comparison = (value: string, wanted: string) => boolean;

const comparisons = new Map<string, Comparison>(
  Object.entries({
    StringEquals: (value, wanted) => value === wanted,
    StringEqualsIgnoreCase: equalsIgnoringCase,
    StringLike: isLike,
    ArnEquals: isArnLike,
    ArnLike: isArnLike,
    Bool: equalsIgnoringCase,
    NumericEquals: (value, wanted) => Number(value) === Number(wanted),
    NumericLessThan: (value, wanted) => Number(value) < Number(wanted),
    NumericLessThanEquals: (value, wanted) => Number(value) <= Number(wanted),
    NumericGreaterThan: (value, wanted) => Number(value) > Number(wanted),
    NumericGreaterThanEquals: (value, wanted) => Number(value) >= Number(wanted),
  } satisfies Record<string, Comparison>),
);

function equalsIgnoringCase(value: string, wanted: string): boolean {
  return value.toLowerCase() === wanted.toLowerCase();
}

/**
 * Whether one condition holds. Without the key, only negated operators, those that end in IfExists, and
 * ForAllValues hold (documentation).
 */
function conditionHolds(
  operator: string,
  wanted: string[],
  values: readonly string[] | undefined,
): boolean {
  const [, set = '', base = '', ifExists] =
    /^(ForAnyValue:|ForAllValues:)?(\w+?)(IfExists)?$/.exec(operator) ?? [];
  if (base === 'Null') return wanted.includes(String(values === undefined));
  const isNegated = base.includes('Not');
  const compare = comparisons.get(base.replace('Not', ''));
  if (values === undefined) {
    if (set === 'ForAnyValue:') return ifExists !== undefined;
    return isNegated || ifExists !== undefined || set === 'ForAllValues:';
  }
  // Operators for dates and addresses: no request has their keys, so they were decided above.
  if (!compare) return false;
  const holds = (value: string) => wanted.some((one) => compare(value, one)) !== isNegated;
  return set === 'ForAllValues:' ? values.every(holds) : values.some(holds);
}
