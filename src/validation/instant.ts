import { type TUnsafe, Type } from '@sinclair/typebox';

/** An instant as it stands in a body: integer milliseconds since 1970, or RFC 3339 text. */
export type Instant = number | bigint | string;

/**
 * An instant of a request, an integer of whatever size or short text. What it says is for
 * `readInstant` to judge: it can tell a caller more than a rule of a schema could.
 */
export function Instant(options: { description: string }): TUnsafe<Instant> {
  return Type.Unsafe<Instant>({
    ...options,
    'x-instant': true,
    'x-rule':
      'an instant: integer milliseconds since 1970, or RFC 3339 with an offset ("2024-05-01T00:00:00Z")',
  });
}
