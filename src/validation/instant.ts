import { type TUnsafe, Type } from '@sinclair/typebox';
import { toDateTime } from '#time/date-time.ts';

import { readingsOf } from './instant-readings.ts';
import { show } from './violations.ts';

/** An instant in a body: integer milliseconds since 1970, or RFC 3339 text. */
export type Instant = number | bigint | string;

const rule = 'RFC 3339 with an offset ("2024-05-01T00:00:00Z"), or integer milliseconds since 1970';

/**
 * A schema for an instant in a request: any integer or text. `readInstant` validates it, because it can
 * explain mistakes better than a schema.
 */
export function Instant(options: { description: string; examples?: string[] }): TUnsafe<Instant> {
  return Type.Unsafe<Instant>({ ...options, 'x-instant': true, 'x-rule': rule });
}

/** Whether `readInstant` accepts the type of a value. */
export function mayBeInstant(value: unknown): value is Instant {
  return typeof value === 'string' || typeof value === 'bigint' || Number.isSafeInteger(value);
}

/**
 * The range of milliseconds since 1970 for log events. A number outside this range is probably in another
 * unit: seconds, microseconds and nanoseconds of this range do not overlap with it.
 */
export const plausibleMs = { first: Date.UTC(1973, 0), last: Date.UTC(2200, 0) } as const;

/** The year of the last plausible instant, for texts. */
export const lastYear = new Date(plausibleMs.last).getUTCFullYear();

/** The result: epoch ms, or a description of the mistake with a valid value. */
export type ReadInstant = { at: number } | { detail: string };

/**
 * Reads an instant. A number must be plausible, or 0, which is the beginning in every unit. Fractions
 * of a millisecond are rounded up: for log events, which have whole ones, that is the same window.
 */
export function readInstant(value: Instant): ReadInstant {
  return typeof value === 'string' ? readText(value) : readNumber(BigInt(value));
}

function readNumber(value: bigint): ReadInstant {
  const isPlausible = (ms: bigint) => ms >= plausibleMs.first && ms <= plausibleMs.last;
  if (value === 0n || isPlausible(value)) return { at: Number(value) };
  const units = {
    seconds: value * 1_000n,
    microseconds: value / 1_000n,
    nanoseconds: value / 1_000_000n,
  };
  for (const [unit, ms] of Object.entries(units)) {
    if (isPlausible(ms)) return { detail: `looks like ${unit}; in milliseconds it is ${ms}` };
  }
  if (value > plausibleMs.last)
    return { detail: `must be ${rule}, but is after the year ${lastYear}` };
  if (value < 0n) return { detail: before1970 };
  return {
    detail: `must be ${rule}, but is ${toDateTime(Number(value))}, before CloudWatch Logs existed; write 0 to export everything from the beginning`,
  };
}

const rfc3339 =
  /^(\d{4}-\d\d-\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

const before1970 = 'must not be before 1970-01-01T00:00:00Z, the earliest time in CloudWatch Logs';

function readText(text: string): ReadInstant {
  const [whole, date, ...rest] = rfc3339.exec(text) ?? [];
  if (whole === undefined || date === undefined) return { detail: describeOtherText(text) };
  const [hour, minute, second] = rest.slice(0, 3).map(Number) as [number, number, number];
  const [fraction = '', sign, offsetHours, offsetMinutes] = rest.slice(3);

  const midnight = Date.parse(`${date}T00:00:00Z`);
  // Date.parse takes the 30th of February for the 1st of March.
  const isDay = !Number.isNaN(midnight) && toDateTime(midnight).startsWith(date);
  if (!isDay) return { detail: `must have an existing date, but ${date} does not exist` };

  const offsetMs =
    Number(`${sign ?? '+'}1`) *
    ((Number(offsetHours ?? 0) * 60 + Number(offsetMinutes ?? 0)) * 60_000);
  const atSecond = midnight + ((hour * 60 + minute) * 60 + second) * 1_000 - offsetMs;
  const at =
    atSecond +
    Number(fraction.slice(0, 3).padEnd(3, '0')) +
    (/[1-9]/.test(fraction.slice(3)) ? 1 : 0);

  if (at < 0) return { detail: before1970 };
  if (hour === 24 && minute === 0 && second === 0) {
    return {
      detail: `has the hour 24, which RFC 3339 does not allow; write "${toDateTime(at)}" instead`,
    };
  }
  if (hour > 23 || minute > 59 || second > 60) {
    return { detail: 'must have a time of day from 00:00:00 to 23:59:59' };
  }
  if (second === 60) {
    return {
      detail: `is in a leap second, which milliseconds since 1970 cannot express; the next second is "${toDateTime(atSecond)}"`,
    };
  }
  return { at };
}

/** Describes a text that is not RFC 3339, and suggests valid forms. */
function describeOtherText(text: string): string {
  if (/^\d{1,20}$/.test(text)) {
    const reading = readNumber(BigInt(text));
    return 'at' in reading
      ? `must be without quotes: ${text}`
      : `must be without quotes, and ${reading.detail}`;
  }
  const { texts, hasOffset } = readingsOf(text);
  const valid = texts.filter((read) => rfc3339.test(read) && 'at' in readText(read));
  if (valid.length === 0) return `must be ${rule}, but is ${show(text)}`;
  const write = `write ${valid.map((read) => `"${read}"`).join(' or ')}`;
  return hasOffset
    ? `must be RFC 3339; ${write}`
    : `must be RFC 3339 with an offset; for UTC, ${write}`;
}
