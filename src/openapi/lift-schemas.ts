import { int64Range } from '#validation/int64.ts';

type Json = Record<string, unknown>;

/** Copies a value. Schemas with a title become components, and our own keywords become those of OpenAPI. */
export function liftSchemas(value: unknown, schemas: Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((item) => liftSchemas(item, schemas));
  if (typeof value !== 'object' || value === null) return value;
  const copy: Json = {};
  for (const [key, member] of Object.entries(value)) {
    if (key === 'x-int64') {
      const { minimum, maximum } = int64Range;
      Object.assign(copy, { type: 'integer', format: 'int64', minimum, maximum });
    } else if (key === 'x-instant') {
      schemas.Instant = instant;
      copy.$ref = '#/components/schemas/Instant';
    } else if (key === 'pattern' && typeof member === 'string') {
      copy.pattern = toPortablePattern(member);
    } else if (!key.startsWith('x-')) {
      copy[key] = liftSchemas(member, schemas);
    }
  }
  const lifted = liftTitled(copy, schemas);
  if (!('x-nullable' in value)) return lifted;
  const { description, ...type } = lifted;
  return { description, anyOf: [type, { type: 'null' }] };
}

function liftTitled(copy: Json, schemas: Record<string, unknown>): Json {
  const { title } = copy;
  if (typeof title !== 'string' || !['object', 'string'].includes(copy.type as string)) return copy;
  // A member has its own default, and its own description if others describe the same type in another way.
  const { description, default: preset, ...type } = copy;
  const component: Json = { ...(preset === undefined ? copy : type), ...(schemas[title] as Json) };
  schemas[title] = component;
  return {
    $ref: `#/components/schemas/${title}`,
    ...(description !== component.description && { description }),
    ...(preset !== undefined && { default: preset }),
  };
}

/** The component for members with `x-instant`, so that generated code has one type for all of them. */
const instant = {
  title: 'Instant',
  description:
    'A point in time: milliseconds since 1970-01-01T00:00:00Z, or RFC 3339 text with an offset.',
  oneOf: [
    { type: 'integer', format: 'int64', minimum: 0 },
    { type: 'string', format: 'date-time' },
  ],
};

/**
 * Converts a pattern to the syntax that JavaScript, Python, Rust, Go and Java share. Rust, which pydantic
 * uses, refuses the class of lone surrogates (Cs). The strings of those languages contain none. They share no syntax for
 * format characters (Cf): only the service refuses those.
 */
function toPortablePattern(pattern: string): string {
  return pattern
    .replace(String.raw`\p{Cf}`, '')
    .replace(String.raw`\p{Cc}\p{Cs}`, String.raw`\x00-\x1f\x7f-\x9f`);
}
