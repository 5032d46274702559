import type { Member } from './members.ts';
import { isJsonNumber, type JsonValue, serializationError, toInteger } from './parse.ts';

/** The constraints of a text. Lengths in UTF-16 code units, as AWS counts. */
interface TextRules<Value extends string> {
  length?: readonly [minimum: number, maximum: number];
  /** The most bytes of UTF-8. */
  maxBytes?: number;
  /** The pattern of the whole text, as AWS writes it. */
  pattern?: string;
  values?: readonly Value[];
}

// The service is stricter than AWS here: databases and logs cannot keep every character.
const storable = String.raw`[^\p{Cc}\p{Cs}]*`;

/** A text. */
export function text<const Value extends string = string>(
  rules: TextRules<Value> = {},
): Member<Value> & { isRequired: false } {
  const { length, maxBytes, pattern, values } = rules;
  const patterns = (pattern === undefined ? [storable] : [pattern, storable]).map(
    (source) => [source, new RegExp(`^(?:${source})$`, 'u')] as const,
  );
  return {
    isRequired: false,
    read: (value) => (typeof value === 'string' ? (value as Value) : refuseType(value, 'String')),
    check(value) {
      const violated = length ? checkLength(value.length, length) : [];
      if (maxBytes !== undefined)
        violated.push(...checkLength(Buffer.byteLength(value), [0, maxBytes]));
      const missed = patterns.find(([, form]) => !form.test(value));
      if (missed) violated.push(`Member must satisfy regular expression pattern: ${missed[0]}`);
      if (values && !values.includes(value)) {
        violated.push(`Member must satisfy enum value set: [${values.join(', ')}]`);
      }
      return violated;
    },
  };
}

/** An integer of 64 bits, without rounding. */
export function long({ minimum }: { minimum: bigint }): Member<bigint> & { isRequired: false } {
  return {
    isRequired: false,
    read: (value) => readInteger(value, 'Long'),
    check: (value) => (value < minimum ? [atLeast(minimum)] : []),
  };
}

/** An integer of a range. */
export function integer(minimum: number, maximum: number): Member<number> & { isRequired: false } {
  return {
    isRequired: false,
    read: (value) => Number(readInteger(value, 'Integer')),
    check(value) {
      if (value < minimum) return [atLeast(minimum)];
      return value > maximum ? [`Member must have value less than or equal to ${maximum}`] : [];
    },
  };
}

/** A truth value. */
export function truth(): Member<boolean> & { isRequired: false } {
  return {
    isRequired: false,
    read: (value) => (typeof value === 'boolean' ? value : refuseType(value, 'Boolean')),
    check: () => [],
  };
}

/** A list of texts. */
export function texts(
  rules: TextRules<string>,
  length: readonly [minimum: number, maximum: number],
): Member<string[]> & { isRequired: false } {
  const item = text(rules);
  return {
    isRequired: false,
    read(value) {
      if (!Array.isArray(value)) return refuseType(value, 'List');
      return value.map((one) => item.read(one));
    },
    check: (values) => [
      ...checkLength(values.length, length),
      ...new Set(values.flatMap((value) => item.check(value))),
    ],
  };
}

/** Makes a member required. */
export function required<Value>(member: Member<Value>): Member<Value> & { isRequired: true } {
  return { ...member, isRequired: true };
}

function readInteger(value: JsonValue, type: 'Long' | 'Integer'): bigint {
  const read = isJsonNumber(value) ? toInteger(value) : undefined;
  return read ?? refuseType(value, type);
}

/** @throws an error of AWS */
function refuseType(value: JsonValue, type: string): never {
  if (Array.isArray(value)) throw serializationError('Start of list found where not expected');
  if (typeof value === 'object' && value !== null && !isJsonNumber(value)) {
    throw serializationError('Start of structure or map found where not expected.');
  }
  const article = /^[AEIOU]/.test(type) ? 'an' : 'a';
  throw serializationError(`${tokenOf(value)} can not be converted to ${article} ${type}`);
}

function tokenOf(value: JsonValue): string {
  if (isJsonNumber(value)) return 'NUMBER_VALUE';
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  return value === null ? 'NULL_VALUE' : 'STRING_VALUE';
}

function checkLength(
  length: number,
  [minimum, maximum]: readonly [minimum: number, maximum: number],
): string[] {
  if (length < minimum) return [`Member must have length greater than or equal to ${minimum}`];
  return length > maximum ? [`Member must have length less than or equal to ${maximum}`] : [];
}

const atLeast = (minimum: bigint | number) =>
  `Member must have value greater than or equal to ${minimum}`;
