import { isUtf8 } from 'node:buffer';

import { refuseLargeStructure } from '#validation/json/json-structure.ts';
import { awsError } from '../aws-error.ts';

const digits = Symbol('digits');

/** A number of a JSON text, with all its digits. */
export interface JsonNumber {
  [digits]: string;
}

/** A parsed value: an array, an object, a text, a truth value, `null`, or a `JsonNumber`. */
export type JsonValue = unknown;

/** Whether a parsed value is a number. No JSON text can have an object that looks like one. */
export function isJsonNumber(value: JsonValue): value is JsonNumber {
  return typeof value === 'object' && value !== null && digits in value;
}

/**
 * Parses a JSON text without rounding its numbers.
 * @throws an error of AWS, without a text as AWS sends it
 */
export function parseJson(body: Buffer): JsonValue {
  if (!isUtf8(body)) throw serializationError();
  refuseLargeStructure(body); // the reviver would follow any depth
  try {
    return JSON.parse(body.toString('utf8'), keepDigits);
  } catch {
    throw serializationError();
  }
}

/** Makes the error for a body that cannot be read. */
export function serializationError(text?: string) {
  return awsError('SerializationException', text);
}

// JSON.parse of Node passes the source text to the reviver.
function keepDigits(_name: string, value: unknown, context?: { source: string }): unknown {
  return typeof value === 'number' && context ? { [digits]: context.source } : value;
}

const int64 = { minimum: -(2n ** 63n), maximum: 2n ** 63n - 1n };
const plainInteger = /^-?\d{1,19}$/;
const withFraction = /^(-?\d{1,19})\.\d+$/;
// Numbers below are exact as a double, or have an exponent.
const maxExponentForm = 2 ** 63;

/** The integer that AWS reads: a fraction is cut off. Undefined if it does not fit into 64 bits. */
export function toInteger({ [digits]: source }: JsonNumber): bigint | undefined {
  const whole = plainInteger.exec(source)?.[0] ?? withFraction.exec(source)?.[1];
  const integer = whole === undefined ? fromExponentForm(Number(source)) : BigInt(whole);
  if (integer === undefined || integer < int64.minimum || integer > int64.maximum) return undefined;
  return integer;
}

function fromExponentForm(value: number): bigint | undefined {
  return Math.abs(value) < maxExponentForm ? BigInt(Math.trunc(value)) : undefined;
}
