import { type StringOptions, type TString, Type } from '@sinclair/typebox';

// Cc: control characters, including NUL. Cs: lone surrogates, in a pattern with the u flag. AWS accepts
// both, but logs, terminals and databases do not.
const plainText = String.raw`^[^\p{Cc}\p{Cs}]*$`;

/** Suggests what to write instead of a refused text; undefined if that is unknown. */
export type Suggest = (text: string) => string | undefined;

/**
 * A string without control characters and lone surrogates. `rule` describes valid texts, and `suggest`
 * suggests what to write instead of an invalid one.
 */
export function Text(options: StringOptions & { rule: string; suggest?: Suggest }): TString {
  const { rule, suggest, ...rest } = options;
  const keywords = { 'x-rule': rule, ...(suggest && { 'x-suggest': suggest }) };
  return Type.String({ pattern: plainText, ...rest, ...keywords });
}

/** The rules of an object with members. */
export interface ObjectRules {
  type?: string;
  properties?: Record<string, ObjectRules>;
  /** Whether a member of a body can be null, beside its type. */
  'x-nullable'?: boolean;
}

const integer = /^(?:0|-?[1-9]\d*)$/;

/**
 * Converts members that are always text, as in a query or the environment: integers consist of digits, and
 * booleans are true or false. Other values stay text, so that validation refuses them.
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
