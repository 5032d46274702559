import { awsError } from '../aws-error.ts';
import { isJsonNumber, type JsonValue, parseJson, serializationError } from './parse.ts';

/** How one member of a request is read. */
export interface Member<Value> {
  isRequired: boolean;
  /** Converts a parsed value that is not null. @throws an error of AWS if it has another type */
  read(value: JsonValue): Value;
  /** Returns the constraints that the value violates, in the words of AWS. */
  check(value: Value): string[];
}

/** The members of a request, by name. */
export type Shape = Record<string, Member<unknown>>;

/** A request of a shape, without the members that are absent. */
export type Read<Of extends Shape> = {
  [Name in keyof Of as Of[Name]['isRequired'] extends true ? Name : never]: ValueOf<Of[Name]>;
} & {
  [Name in keyof Of as Of[Name]['isRequired'] extends true ? never : Name]?: ValueOf<Of[Name]>;
};

type ValueOf<Of> = Of extends Member<infer Value> ? Value : never;

/**
 * Reads the members of a request as AWS does: unknown members are ignored, null counts as absent, types come
 * before constraints, and all violated constraints are reported at once.
 * @throws an error of AWS
 */
export function readMembers<Of extends Shape>(body: Buffer, shape: Of): Read<Of> {
  const parsed = parseJson(body);
  if (typeof parsed !== 'object' || parsed === null || isJsonNumber(parsed)) {
    throw serializationError();
  }
  if (Array.isArray(parsed)) throw serializationError('Start of list found where not expected');
  const members = parsed as Record<string, JsonValue>;
  const read: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(shape)) {
    const value = Object.hasOwn(members, name) ? members[name] : null;
    if (value !== null) read[name] = member.read(value);
  }
  refuseViolations(shape, read);
  return read as Read<Of>;
}

function refuseViolations(shape: Shape, read: Record<string, unknown>): void {
  const violations = Object.entries(shape).flatMap(([name, { isRequired, check }]) => {
    if (!(name in read)) {
      return isRequired ? [violation('null', name, 'Member must not be null')] : [];
    }
    const value = read[name];
    return check(value).map((constraint) => violation(show(value), name, constraint));
  });
  const count = violations.length;
  if (count === 0) return;
  const head = `${count} validation error${count === 1 ? '' : 's'} detected: `;
  throw awsError('InvalidParameterException', head + violations.join('; '));
}

function violation(value: string, name: string, constraint: string): string {
  return `Value ${value} at '${name}' failed to satisfy constraint: ${constraint}`;
}

function show(value: unknown): string {
  return `'${Array.isArray(value) ? `[${value.join(', ')}]` : value}'`;
}
