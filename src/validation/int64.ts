import { type TUnsafe, Type } from '@sinclair/typebox';

/** The range of 64-bit instants of this service, in milliseconds since 1970. */
export const int64Range = { minimum: 0n, maximum: 2n ** 60n } as const;

/**
 * A schema for an exact 64-bit integer in a request: plain digits, within `int64Range`. The handler gets a
 * `bigint`. It has its own keyword, because "integer" of Ajv refuses a bigint.
 */
export function Int64(options: { description: string }): TUnsafe<bigint> {
  return Type.Unsafe<bigint>({
    ...options,
    'x-int64': true,
    'x-rule': `an integer from 0 to ${int64Range.maximum}, in digits alone (no quotes, sign, fraction or exponent)`,
  });
}

/** Returns the value as an exact `bigint`, or `undefined` if it is not an integer in the range. */
export function readInt64(value: unknown): bigint | undefined {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return undefined;
  const exact = BigInt(value as bigint | number);
  return exact >= int64Range.minimum && exact <= int64Range.maximum ? exact : undefined;
}

/** A schema for an exact 64-bit integer in an answer: the serialiser writes all digits of a `bigint`. */
export function Int64Answer(options: { description: string }): TUnsafe<bigint> {
  return Type.Unsafe<bigint>({ ...options, type: 'integer', format: 'int64' });
}

// Node 24 supports rawJSON, but the TypeScript types do not contain it.
type ExactJson = typeof JSON & { rawJSON(text: string): unknown };

/** Returns a value that `JSON.stringify` writes as an integer with all digits. */
export function exactDigits(value: bigint): unknown {
  return (JSON as ExactJson).rawJSON(value.toString());
}
