import { makeUsageError } from '../exit-codes.ts';
import { makeZoneClock } from './zone-clock.ts';

const unitsMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;
type Unit = keyof typeof unitsMs;

const beforeNow = /^-(\d{1,5})([mhdw])$/;
const iso = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/;
const milliseconds = /^\d{13}$/;

const forms =
  'Use a date (2024-05-01), a time (2024-05-01T08:00Z), yesterday, today, now, or a time before now (-7d, -12h).';

/** Where and when a time is read. */
export interface ReadingOfTimes {
  now: number;
  /** The zone of days and of times without an offset. */
  timeZone: string;
}

/**
 * Reads the time of an option, in epoch ms. Days begin at midnight of the time zone. A time before now begins
 * at a whole unit: `-7d` is midnight seven days ago, `-12h` is a full hour. So a command that somebody repeats
 * has the same time range, and the same idempotency key.
 * @throws CommandError of exit code 2
 */
export function readTime(option: string, text: string, { now, timeZone }: ReadingOfTimes): number {
  const clock = makeZoneClock(timeZone);
  if (text === 'now') return Math.floor(now / 1_000) * 1_000;
  if (text === 'today') return clock.startOfDay(now, 0);
  if (text === 'yesterday') return clock.startOfDay(now, -1);
  if (milliseconds.test(text)) return Number(text);

  const [, count, unit] = beforeNow.exec(text) ?? [];
  if (count !== undefined) {
    const days = { d: 1, w: 7 }[unit as string];
    if (days !== undefined) return clock.startOfDay(now, -Number(count) * days);
    const lengthMs = unitsMs[unit as Unit];
    return Math.floor(now / lengthMs - Number(count)) * lengthMs;
  }

  const [, date, minutes = '00:00', seconds = ':00', offset] = iso.exec(text) ?? [];
  const midnight = Date.parse(`${date}T00:00:00Z`);
  const at = Date.parse(`${date}T${minutes}${seconds}${offset ?? 'Z'}`);
  // Date.parse takes the 30th of February for the 1st of March.
  const isDay = !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(`${date}`);
  if (Number.isNaN(at) || !isDay)
    throw makeUsageError(`--${option} "${text}" is not a time. ${forms}`);
  return offset === undefined ? clock.toInstant(at) : at;
}

/** Reads a duration such as `30s`, `10m`, `2h` or `1d`, in milliseconds. @throws CommandError of exit code 2 */
export function readDuration(option: string, text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count === undefined) {
    throw makeUsageError(`--${option} "${text}" is not a duration. Use 30s, 10m, 2h or 1d.`);
  }
  return Number(count) * unitsMs[unit as Unit];
}

/** An instant as the command line prints it: RFC 3339 in UTC, without milliseconds that are zero. */
export const inUtcText = (at: number | string): string =>
  new Date(at).toISOString().replace('.000Z', 'Z');
