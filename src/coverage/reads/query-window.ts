import type { Violation } from '#problems/problem.ts';
import type { Window } from '#time/window.ts';
import { type Instant, readInstant } from '#validation/instant.ts';
import { invalidRequest } from '#validation/violations.ts';

/**
 * Reads the parameters `from` and `to` of a query. One that is absent has the value of `whole`. In a query,
 * integers are text, too.
 * @throws Problem invalid-request
 */
export function readQueryWindow(
  query: { from?: Instant | undefined; to?: Instant | undefined },
  whole: Window = { fromAt: 0, toAt: Infinity },
): Window {
  const violations: Violation[] = [];
  const read = (name: 'from' | 'to', absent: number): number => {
    const value = query[name];
    if (value === undefined) return absent;
    const isInteger = typeof value === 'string' && /^\d{1,20}$/.test(value);
    const reading = readInstant(isInteger ? BigInt(value) : value);
    if ('at' in reading) return reading.at;
    violations.push({ in: 'query', pointer: `#/${name}`, detail: reading.detail });
    return absent;
  };
  const window = { fromAt: read('from', whole.fromAt), toAt: read('to', whole.toAt) };
  if (violations.length === 0 && window.fromAt >= window.toAt)
    violations.push({ in: 'query', pointer: '#/from', detail: 'must be before to' });
  if (violations.length > 0) throw invalidRequest(violations);
  return window;
}
