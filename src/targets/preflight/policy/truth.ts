/** What is true or false, or `undefined` if nobody can know it here. */
export type Truth = boolean | undefined;

/** Whether all of them are true. One that is false decides, whatever the others are. */
export function allOf(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(undefined) ? undefined : true;
}

/** Whether any of them is true. */
export function anyOf(truths: readonly Truth[]): Truth {
  return negate(allOf(truths.map(negate)));
}

/** The opposite. The opposite of the unknown is unknown. */
export function negate(truth: Truth): Truth {
  return truth === undefined ? undefined : !truth;
}
