import type { ErrorObject } from 'ajv';

import { Problem, type Violation } from '#problems/problem.ts';

// A body of 16 KiB can break some thousand rules; nobody reads more than this many.
const mostViolations = 50;

/** The problem of a request that breaks rules: one or more. */
export function invalidRequest(errors: Violation[]): Problem {
  const detail = `${errors.length === 1 ? 'One rule is' : `${errors.length} rules are`} broken; errors[] says which.`;
  return new Problem('invalid-request', detail, { errors });
}

/** Turns Ajv's errors into one violation per member, each with what would be right. */
export function toViolations(errors: ErrorObject[], place: Violation['in']): Violation[] {
  const byPointer = new Map<string, Violation>();
  for (const error of errors) {
    const violation = toViolation(error, place);
    if (!byPointer.has(violation.pointer)) byPointer.set(violation.pointer, violation);
  }
  const violations = [...byPointer.values()];
  if (violations.length <= mostViolations) return violations;
  const left = violations.length - mostViolations;
  return [
    ...violations.slice(0, mostViolations),
    { in: place, pointer: '#', detail: `${left} further members break a rule.` },
  ];
}

function toViolation(error: ErrorObject, place: Violation['in']): Violation {
  const at = (path: string, detail: string): Violation => ({
    in: place,
    pointer: `#${encodeURI(path)}`,
    detail,
  });
  switch (error.keyword) {
    case 'required': {
      const name: string = error.params.missingProperty;
      return at(
        `${error.instancePath}/${name}`,
        `is missing; it must be ${ruleOf(propertiesOf(error)[name])}`,
      );
    }
    case 'additionalProperties': {
      const name = toPointerToken(error.params.additionalProperty);
      const known = Object.keys(propertiesOf(error)).join(', ');
      return at(
        `${error.instancePath}/${name}`,
        `is not known here; known are: ${known || 'none'}`,
      );
    }
    case 'uniqueItems': {
      const { i, j } = error.params; // in either order
      return at(
        `${error.instancePath}/${Math.max(i, j)}`,
        `must not be there again: it is member ${Math.min(i, j)}`,
      );
    }
    case 'x-exactlyOneOf': {
      const names: string[] = error.schema as string[];
      const count = names.filter((name) => Object.hasOwn(error.data as object, name)).length;
      const found = count === 0 ? 'none of them' : 'more than one';
      return at(
        error.instancePath,
        `must have exactly one of ${names.join(', ')}, but has ${found}`,
      );
    }
    default:
      return at(
        error.instancePath,
        `must be ${ruleOf(error.parentSchema)}, but is ${show(error.data)}`,
      );
  }
}

function propertiesOf(error: ErrorObject): Record<string, unknown> {
  return (error.parentSchema as { properties?: Record<string, unknown> }).properties ?? {};
}

function ruleOf(schema: unknown): string {
  return (schema as { 'x-rule'?: string } | undefined)?.['x-rule'] ?? 'a JSON object';
}

// A name the caller chose: escaped for the pointer, and capped, so that the answer stays short.
function toPointerToken(name: string): string {
  return name.slice(0, 64).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1');
}

/** A value of a request as it may stand in an answer: short, whatever it is. */
export function show(value: unknown): string {
  if (value === undefined) return 'absent';
  if (typeof value === 'string') {
    const length = [...value].length;
    return length <= 64 ? JSON.stringify(value.toWellFormed()) : `${length} characters long`;
  }
  if (Number.isNaN(value)) return 'a number not written in plain digits';
  if (typeof value === 'object')
    return value === null
      ? 'null'
      : Array.isArray(value)
        ? `an array of ${value.length}`
        : 'an object';
  return String(value);
}
