import { awsError } from './aws-error.ts';
import {
  lengthViolations,
  rangeViolations,
  type TextLimits,
  textViolations,
  violation,
} from './constraints.ts';

/**
 * A shape of an AWS JSON service. `read` rejects wrong JSON types (SerializationException), as AWS does
 * before it checks constraints. `violations` then lists the violated constraints.
 */
export interface Shape<T> {
  read(json: unknown): T;
  violations(value: T, path: string): string[];
}

/** The values of the members of a structure. */
export type StructureValue<M> = { [K in keyof M]: M[K] extends Shape<infer T> ? T : never };
type Members = Record<string, Shape<unknown>>;

const longBounds = { low: -(2n ** 63n), high: 2n ** 63n - 1n, name: 'a Long' };
const integerBounds = { low: -(2n ** 31n), high: 2n ** 31n - 1n, name: 'an Integer' };

/** A text. Half of a surrogate pair becomes U+FFFD, because UTF-8 cannot encode it. */
export function text(limits: TextLimits = {}): Shape<string> {
  return {
    read: (json) => (typeof json === 'string' ? json.toWellFormed() : refuseType(json, 'a String')),
    violations: (value, path) => textViolations(value, path, limits),
  };
}

/** A 64-bit integer with all its digits. A fraction is truncated, as AWS does. */
export function long(limits: { min?: number; max?: number } = {}): Shape<bigint> {
  return wholeNumber(longBounds, limits);
}

/** A 32-bit integer. A fraction is truncated, as AWS does. */
export function integer(limits: { min?: number; max?: number } = {}): Shape<bigint> {
  return wholeNumber(integerBounds, limits);
}

/** A boolean. */
export function flag(): Shape<boolean> {
  return {
    read: (json) => (typeof json === 'boolean' ? json : refuseType(json, 'a Boolean')),
    violations: () => [],
  };
}

/** A list. Violations count its members from 1. */
export function list<T>(member: Shape<T>, limits: { min?: number; max?: number } = {}): Shape<T[]> {
  return {
    read(json) {
      if (!Array.isArray(json)) throw awsError('SerializationException', 'Expected list or null');
      return json.map((item) => member.read(item ?? undefined));
    },
    violations: (value, path) => [
      ...lengthViolations(value, path, limits),
      ...value.flatMap((item, index) => member.violations(item, `${path}.${index + 1}.member`)),
    ],
  };
}

/** A map of texts. The names of its members in violations are unverified. */
export function map(
  key: Shape<string>,
  value: Shape<string>,
  limits: { min?: number; max?: number } = {},
): Shape<Record<string, string>> {
  return {
    read(json) {
      if (typeof json !== 'object' || json === null || Array.isArray(json)) {
        throw awsError('SerializationException', 'Expected map or null');
      }
      const read = Object.entries(json).map(([name, one]) => [key.read(name), value.read(one)]);
      return Object.fromEntries(read) as Record<string, string>;
    },
    violations(values, path) {
      const entries = Object.entries(values);
      return [
        ...lengthViolations(entries, path, limits),
        ...entries.flatMap(([name, one]) => [
          ...key.violations(name, `${path}.key`),
          ...value.violations(one, `${path}.${name}.member`),
        ]),
      ];
    },
  };
}

/** A structure. Unknown members are ignored, and null counts as absent. */
export function structure<M extends Members>(members: M): Shape<StructureValue<M>> {
  const entries = Object.entries(members);
  return {
    read(json) {
      if (typeof json !== 'object' || json === null) {
        throw awsError('SerializationException', 'Expected structure or null');
      }
      if (Array.isArray(json)) refuseType(json, 'a structure');
      const given = json as Record<string, unknown>;
      const read = entries.map(([name, shape]) => [name, shape.read(given[name] ?? undefined)]);
      return Object.fromEntries(read) as StructureValue<M>;
    },
    violations(value, path) {
      const prefix = path === '' ? '' : `${path}.`;
      return entries.flatMap(([name, shape]) => shape.violations(value[name], prefix + name));
    },
  };
}

/** A required member. Its absence violates a constraint; it is not a wrong type. */
export function required<T>(shape: Shape<T>): Shape<T> {
  return {
    // An absent value never reaches an operation: `violations` reports it first.
    read: (json) => (json === undefined ? (undefined as T) : shape.read(json)),
    violations: (value, path) =>
      value === undefined
        ? [violation(undefined, path, 'Member must not be null')]
        : shape.violations(value, path),
  };
}

/** An optional member. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return {
    read: (json) => (json === undefined ? undefined : shape.read(json)),
    violations: (value, path) => (value === undefined ? [] : shape.violations(value, path)),
  };
}

function wholeNumber(
  bounds: typeof longBounds,
  limits: { min?: number; max?: number },
): Shape<bigint> {
  return {
    read(json) {
      const isNumber = typeof json === 'bigint' || Number.isFinite(json);
      if (!isNumber) return refuseType(json, bounds.name);
      const value = typeof json === 'bigint' ? json : BigInt(Math.trunc(json as number));
      // AWS must reject a number outside of the type. Its message is unverified.
      if (value < bounds.low || value > bounds.high) return refuseType(json, bounds.name);
      return value;
    },
    violations: (value, path) => rangeViolations(value, path, limits),
  };
}

/**
 * The messages are recorded for another service of AWS JSON 1.1. For CloudWatch Logs they are
 * assumed.
 */
function refuseType(json: unknown, wanted: string): never {
  throw awsError('SerializationException', typeMessage(json, wanted));
}

function typeMessage(json: unknown, wanted: string): string {
  if (Array.isArray(json)) return 'Start of list found where not expected';
  if (typeof json === 'object') return 'Start of structure or map found where not expected.';
  const found = typeof json === 'boolean' ? String(json).toUpperCase() : scalarNames[typeof json];
  return `${found}_VALUE can not be converted to ${wanted}`;
}

const scalarNames: Partial<Record<string, string>> = {
  string: 'STRING',
  number: 'NUMBER',
  bigint: 'NUMBER',
};
