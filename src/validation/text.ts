import { type StringOptions, type TString, Type } from '@sinclair/typebox';

// Cc: control characters, NUL among them. Cs: surrogates, which in a pattern with the u flag are
// the lone ones only. AWS takes both; logs, terminals and databases downstream do not.
const plainText = String.raw`^[^\p{Cc}\p{Cs}]*$`;

/** Says in words what to write instead of a text that is refused, where that can be known. */
export type Meant = (text: string) => string | undefined;

/**
 * A string without control characters and lone surrogates; `rule` says in words what it may be, and
 * `meant` what to write instead.
 */
export function Text(options: StringOptions & { rule: string; meant?: Meant }): TString {
  const { rule, meant, ...rest } = options;
  const said = { 'x-rule': rule, ...(meant && { 'x-meant': meant }) };
  return Type.String({ pattern: plainText, ...rest, ...said });
}
