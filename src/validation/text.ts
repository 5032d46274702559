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

/** The rules of an object with members. */
export interface ObjectRules {
  type?: string;
  properties?: Record<string, ObjectRules>;
}

const integer = /^(?:0|-?[1-9]\d*)$/;

/**
 * Reads the members that are text by nature, as in a query or the environment: an integer is written
 * in digits alone, a boolean as true or false. Anything else stays text, to be refused.
 */
export function readTexts({ properties = {} }: ObjectRules, data: object): void {
  const members = data as Record<string, unknown>;
  for (const [name, { type }] of Object.entries(properties)) {
    const text = members[name];
    if (typeof text !== 'string') continue;
    if (type === 'integer' && integer.test(text)) members[name] = Number(text);
    if (type === 'boolean' && (text === 'true' || text === 'false'))
      members[name] = text === 'true';
  }
}
