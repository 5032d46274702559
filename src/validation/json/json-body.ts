import { isUtf8 } from 'node:buffer';
import { parse } from 'secure-json-parse';

import { Problem } from '#problems/problem.ts';
import { refuseLargeStructure } from './json-structure.ts';

/** The only accepted Content-Type. It is anchored, so that no parameter bypasses validation. */
export const jsonContentType = /^application\/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?[ \t]*$/i;

const plainInteger = /^(?:0|-?[1-9]\d*)$/;

// A sign and the digits of a 64-bit integer. Parsing a bigint takes more than linear time.
const maxIntegerLength = 21;

/**
 * Parses a JSON text with exact integers: integers beyond 2^53 with at most 20 digits become `bigint`.
 * Numbers that are not plain digits (1.5, 1e3, -0) become NaN and longer integers become infinite; no rule
 * accepts these. An absent body is `undefined`.
 * @throws Problem malformed-body, body-too-large
 */
export function readJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new Problem('malformed-body', 'The body is not UTF-8.');
  refuseLargeStructure(bytes);
  try {
    return parse(bytes.toString('utf8'), keepDigits);
  } catch (cause) {
    throw new Problem('malformed-body', describeSyntaxError(cause), { cause });
  }
}

// JSON.parse of Node passes the source text to the reviver; the types of the library omit it.
function keepDigits(_key: string, value: unknown, context?: { source: string }): unknown {
  if (typeof value !== 'number' || context === undefined) return value;
  const { source } = context;
  if (!plainInteger.test(source)) return Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  return source.length > maxIntegerLength ? Number.POSITIVE_INFINITY : BigInt(source);
}

function describeSyntaxError(error: unknown): string {
  // The message of V8 quotes the body. Only its position is used.
  const position = error instanceof Error && /position (\d+)/.exec(error.message)?.[1];
  return position
    ? `The body is not well-formed JSON: the error is at character ${position}.`
    : 'The body is not well-formed JSON, or has the member "__proto__" or "constructor.prototype".';
}
