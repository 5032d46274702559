import { type StringOptions, type TString, Type } from '@sinclair/typebox';

// Cc: control characters, NUL among them. Cs: surrogates, which in a pattern with the u flag are
// the lone ones only. AWS takes both; logs, terminals and databases downstream do not.
const plainText = String.raw`^[^\p{Cc}\p{Cs}]*$`;

/** A string without control characters and lone surrogates; `rule` says in words what it may be. */
export function Text(options: StringOptions & { rule: string }): TString {
  const { rule, ...rest } = options;
  return Type.String({ pattern: plainText, ...rest, 'x-rule': rule });
}
