/** The valid values of an option or of a member of a fault, in words and as a test. */
export interface Rule {
  must: string;
  fits(value: unknown): boolean;
}

export const isNumber = (value: unknown) => typeof value === 'number' && value >= 0;
export const isText = (value: unknown) => typeof value === 'string';
export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const among = (values: readonly unknown[]) => (value: unknown) => values.includes(value);
export const recordOf = (fits: Rule['fits']) => (value: unknown) =>
  isRecord(value) && Object.values(value).every(fits);

/** A whole number from `least` on, or Infinity. */
export const wholeNumber = (least: number): Rule => ({
  must: `a whole number, ${least} or more`,
  fits: (value) => value === Infinity || (Number.isSafeInteger(value) && Number(value) >= least),
});
export const milliseconds: Rule = { must: 'a number of milliseconds, 0 or more', fits: isNumber };
export const anyText: Rule = { must: 'text', fits: isText };
export const trueOrFalse: Rule = { must: 'true or false', fits: among([true, false]) };
export const oneOf = (...values: (string | number)[]): Rule => ({
  must: `one of ${values.join(', ')}`,
  fits: among(values),
});
