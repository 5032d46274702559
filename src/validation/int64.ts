import { type TUnsafe, Type } from '@sinclair/typebox';

/** Lowest and highest value of a 64-bit instant this service takes (milliseconds since 1970). */
export const int64Range = { minimum: 0n, maximum: 2n ** 60n } as const;

/**
 * An exact 64-bit integer of a request: digits alone, within `int64Range`. The handler gets a
 * `bigint`. Ajv's own "integer" would refuse a bigint, hence a keyword of ours.
 */
export function Int64(options: { description: string }): TUnsafe<bigint> {
  return Type.Unsafe<bigint>({
    ...options,
    'x-int64': true,
    'x-rule': `an integer from 0 to ${int64Range.maximum}, in digits alone (no quotes, sign, fraction or exponent)`,
  });
}

/** The value as an exact `bigint`, or `undefined` if it is no integer of the range. */
export function readInt64(value: unknown): bigint | undefined {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return undefined;
  const exact = BigInt(value as bigint | number);
  return exact >= int64Range.minimum && exact <= int64Range.maximum ? exact : undefined;
}

/** An exact 64-bit integer of an answer: the serialiser prints a `bigint` digit by digit. */
export function Int64Answer(options: { description: string }): TUnsafe<bigint> {
  return Type.Unsafe<bigint>({ ...options, type: 'integer', format: 'int64' });
}

// Node 24 has it; the types of the language level do not.
type ExactJson = typeof JSON & { rawJSON(text: string): unknown };

/** What `JSON.stringify` writes as the digits of an integer, all of them. */
export function exactDigits(value: bigint): unknown {
  return (JSON as ExactJson).rawJSON(value.toString());
}
