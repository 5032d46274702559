import { isUtf8 } from 'node:buffer';
import { parse } from 'secure-json-parse';

import { Problem } from '#problems/problem.ts';
import { refuseLargeStructure } from './json-structure.ts';

/** The one Content-Type bodies may have. Anchored, so that no parameter slips past validation. */
export const jsonContentType = /^application\/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?[ \t]*$/i;

const plainInteger = /^(?:0|-?[1-9]\d*)$/;

// A sign and as many digits as a 64-bit integer can have. A bigint takes more than linear time to make.
const maxIntegerLength = 21;

/**
 * Parses a JSON text so that the exact digits of integers survive: integers beyond 2^53 and of
 * at most 20 digits become `bigint`, numbers not written in plain digits (1.5, 1e3, -0) become NaN, and longer integers
 * become infinite; no rule accepts these. An absent body is `undefined`.
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

// node's JSON.parse hands the reviver the source text of a token; the library's types do not say so.
function keepDigits(_key: string, value: unknown, context?: { source: string }): unknown {
  if (typeof value !== 'number' || context === undefined) return value;
  const { source } = context;
  if (!plainInteger.test(source)) return Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  return source.length > maxIntegerLength ? Number.POSITIVE_INFINITY : BigInt(source);
}

function describeSyntaxError(error: unknown): string {
  // V8's message quotes the text; the position is what helps, and repeats nothing of the body.
  const position = error instanceof Error && /position (\d+)/.exec(error.message)?.[1];
  return position
    ? `The body is not well-formed JSON: the error is at character ${position}.`
    : 'The body is not well-formed JSON, or has the member "__proto__" or "constructor.prototype".';
}
