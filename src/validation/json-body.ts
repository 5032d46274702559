import { isUtf8 } from 'node:buffer';
import { parse } from 'secure-json-parse';

import { Problem } from '#problems/problem.ts';

/** The one Content-Type bodies may have. Anchored, so that no parameter slips past validation. */
export const jsonContentType = /^application\/json(?:[ \t]*;[ \t]*charset="?utf-8"?)?[ \t]*$/i;

// Number tokens that JSON.parse would not hand on as they were written: too many digits for a
// double, or a fraction, exponent or minus zero. Matching inside strings too costs only time.
const mayLoseDigits = /\d{16}|\d[.eE]|-0(?!\d)/;
const plainInteger = /^(?:0|-?[1-9]\d*)$/;

/**
 * Parses a JSON text so that the exact digits of integers survive: integers beyond 2^53 become
 * `bigint`, numbers not written in plain digits (1.5, 1e3, -0) become NaN, which no rule accepts.
 * An absent body is `undefined`.
 * @throws Problem malformed-body
 */
export function readJsonBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined;
  if (!isUtf8(bytes)) throw new Problem('malformed-body', 'The body is not UTF-8.');
  const text = bytes.toString('utf8');
  try {
    return parse(text, mayLoseDigits.test(text) ? keepDigits : null);
  } catch (cause) {
    throw new Problem('malformed-body', describeSyntaxError(cause), { cause });
  }
}

// node's JSON.parse hands the reviver the source text of a token; the library's types do not say so.
function keepDigits(_key: string, value: unknown, context?: { source: string }): unknown {
  if (typeof value !== 'number' || context === undefined) return value;
  if (!plainInteger.test(context.source)) return Number.NaN;
  return Number.isSafeInteger(value) ? value : BigInt(context.source);
}

function describeSyntaxError(error: unknown): string {
  // V8's message quotes the text; the position is what helps, and repeats nothing of the body.
  const position = error instanceof Error && /position (\d+)/.exec(error.message)?.[1];
  return position
    ? `The body is not well-formed JSON: it stops being so at character ${position}.`
    : 'The body is not well-formed JSON, or has a member that is refused ("__proto__", "constructor.prototype").';
}
