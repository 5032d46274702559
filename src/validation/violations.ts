import type { ErrorObject } from 'ajv';

import { Problem, type Violation } from '#problems/problem.ts';
import type { Suggest } from './text.ts';

// A body can break a rule in each of its four thousand members. Nobody reads more violations than this.
const maxViolations = 50;

// Callers choose the names in a pointer; each can be as long as the body.
const maxPathLength = 256;

/**
 * Makes the problem of a request that breaks one or more rules. After fifty violations they are only counted. `count` is
 * the number of all violations, if only the first fifty were made.
 */
export function invalidRequest(violations: Violation[], count = violations.length): Problem {
  const detail = `The request breaks ${count === 1 ? 'one rule' : `${count} rules`}.`;
  return new Problem('invalid-request', detail, { errors: shorten(violations, count) });
}

function shorten(violations: Violation[], count: number): Violation[] {
  const [first] = violations;
  const left = count - maxViolations;
  if (!first || left <= 0) return violations;
  const more = left === 1 ? 'more member breaks' : 'more members break';
  const rest = { in: first.in, pointer: '#', detail: `${left} ${more} a rule.` };
  return [...violations.slice(0, maxViolations), rest];
}

/** Makes the problem of Ajv's errors: one violation per member, each with what would be right. */
export function problemOfErrors(errors: ErrorObject[], place: Violation['in']): Problem {
  const pointers = new Set<string>();
  const violations: Violation[] = [];
  for (const error of errors) {
    const pointer = toPointer(error);
    if (pointers.has(pointer)) continue;
    pointers.add(pointer);
    if (pointers.size > maxViolations) continue; // its text would not be shown
    violations.push({ in: place, pointer, detail: detailOf(error) });
  }
  return invalidRequest(violations, pointers.size);
}

/** The JSON pointer to the invalid member, as a URI fragment. */
function toPointer({ instancePath, keyword, params, propertyName }: ErrorObject): string {
  const members: Record<string, unknown> = {
    required: params.missingProperty,
    additionalProperties: params.additionalProperty,
    uniqueItems: Math.max(params.i, params.j), // the order of i and j is not defined
    propertyNames: params.propertyName,
  };
  const member = propertyName ?? members[keyword]; // `propertyName` is set if a name breaks the rule
  const path = member === undefined ? instancePath : `${instancePath}/${toPointerToken(member)}`;
  return `#${encodeURI(path.slice(0, maxPathLength).toWellFormed())}`;
}

function detailOf(error: ErrorObject): string {
  const { keyword, params, parentSchema, schema, data } = error;
  switch (keyword) {
    case 'required':
      return `is missing; it must be ${ruleOf(propertiesOf(error)[params.missingProperty])}`;
    case 'additionalProperties': {
      const { 'x-fixed': fixed = {} } = parentSchema as { 'x-fixed'?: Record<string, string> };
      const member: string = params.additionalProperty;
      if (Object.hasOwn(fixed, member)) return `cannot be changed; ${fixed[member]}`;
      const known = Object.keys(propertiesOf(error)).join(', ');
      return `is unknown; allowed names: ${known || 'none'}`;
    }
    case 'uniqueItems':
      return `must be unique, but is the same as item ${Math.min(params.i, params.j)}`;
    case 'x-exactlyOneOf': {
      const names: string[] = schema as string[];
      const count = names.filter((name) => Object.hasOwn(data as object, name)).length;
      const found = count === 0 ? 'none of them' : 'more than one';
      return `must have exactly one of ${names.join(', ')}, but has ${found}`;
    }
    default:
      return `must be ${ruleOf(parentSchema)}, but is ${describeValue(error)}${suggestionFor(error)}`;
  }
}

/** Describes a value. If a pattern refuses a text, it also names the first invisible character. */
function describeValue({ keyword, data }: ErrorObject): string {
  const invisible = keyword === 'pattern' ? findInvisibleCharacter(data as string) : undefined;
  return invisible === undefined ? show(data) : `${show(data)}, with ${invisible}`;
}

function propertiesOf(error: ErrorObject): Record<string, unknown> {
  return (error.parentSchema as { properties?: Record<string, unknown> }).properties ?? {};
}

function ruleOf(schema: unknown): string {
  return (schema as { 'x-rule'?: string } | undefined)?.['x-rule'] ?? 'a JSON object';
}

// A rule may suggest a valid value.
function suggestionFor({ parentSchema, data }: ErrorObject): string {
  const { 'x-suggest': suggest } = parentSchema as { 'x-suggest'?: Suggest };
  const words = typeof data === 'string' ? suggest?.(data) : undefined;
  return words === undefined ? '' : `; ${words}`;
}

// Escapes a name for the pointer, and cuts it, so that the answer stays short.
function toPointerToken(member: unknown): string {
  return String(member).slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
}

/** Writes a value of a request for an answer, always short. */
export function show(value: unknown): string {
  if (value === undefined) return 'absent';
  if (typeof value === 'string') {
    const length = countCharacters(value);
    return length <= 64 ? JSON.stringify(value.toWellFormed()) : `${length} characters long`;
  }
  if (Number.isNaN(value)) return 'a number not written in plain digits';
  if (typeof value === 'number' && !Number.isFinite(value))
    return 'a number of more than 20 digits';
  if (typeof value === 'object')
    return value === null
      ? 'null'
      : Array.isArray(value)
        ? `an array of ${value.length} ${value.length === 1 ? 'item' : 'items'}`
        : 'an object';
  return String(value);
}

// Counts without a list of characters, which would take eight times the memory of a long text.
function countCharacters(text: string): number {
  let count = 0;
  for (const _character of text) count += 1;
  return count;
}

/**
 * Describes the first control character or unpaired surrogate of a text, or else its first format character, which no
 * font shows. The index counts characters.
 */
function findInvisibleCharacter(text: string): string | undefined {
  const found = /[\p{Cc}\p{Cs}]/u.exec(text) ?? /\p{Cf}/u.exec(text);
  if (!found) return undefined;
  const [character] = found;
  const kind = kindOf(character);
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  const index = countCharacters(text.slice(0, found.index));
  return `the ${kind} U+${code} at index ${index}`;
}

function kindOf(invisible: string): string {
  if (/\p{Cc}/u.test(invisible)) return 'control character';
  return /\p{Cf}/u.test(invisible) ? 'format character' : 'unpaired surrogate';
}
