import { makeUsageError } from '../exit-codes.ts';

const dayMs = 86_400_000;

/** The clock on a wall in a time zone. A local time is epoch ms of the same digits in UTC. */
export interface ZoneClock {
  /**
   * The instant at which the clock shows a local time for the first time. A time that the clock skips is as much later
   * as it is set forward: a skipped midnight is the first instant of its day.
   */
  toInstant(local: number): number;
  /** The instant at which a day begins: 0 is the day of `at`, -1 the day before. */
  startOfDay(at: number, days: number): number;
}

/** Makes the clock of an IANA time zone. @throws CommandError of exit code 2 */
export function makeZoneClock(timeZone: string): ZoneClock {
  const format = openFormat(timeZone);
  const toLocal = (at: number) => {
    const parts = Object.fromEntries(
      format.formatToParts(at).map(({ type, value }) => [type, value]),
    );
    const { year, month, day, hour, minute, second } = parts;
    return Date.parse(`${year?.padStart(4, '0')}-${month}-${day}T${hour}:${minute}:${second}Z`);
  };
  const offsetAt = (at: number) => toLocal(at) - Math.floor(at / 1_000) * 1_000;
  const toInstant = (local: number) => {
    // Two changes of the clocks are at least a week apart: these are the offsets before and after the only one.
    const [before = 0, after = 0] = [local - dayMs, local + dayMs].map(offsetAt);
    const shown = [before, after].find((offset) => offsetAt(local - offset) === offset);
    return local - (shown ?? before);
  };
  return {
    toInstant,
    startOfDay: (at, days) => toInstant((Math.floor(toLocal(at) / dayMs) + days) * dayMs),
  };
}

function openFormat(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
  } catch {
    throw makeUsageError(`"${timeZone}" is not a time zone. Use a name such as Europe/Berlin.`);
  }
}
