import { dayMs } from '#time/durations.ts';

/**
 * The wall clock of a time zone. A local time is the epoch ms at which UTC shows the same: 1 May,
 * 09:00 is `Date.UTC(2024, 4, 1, 9)` in every zone.
 */
export interface WallClock {
  /** The local time at an instant. */
  localOf(at: number): number;
  /**
   * The first instant at which the clock shows a local time or a later one. So a skipped time begins
   * after the skip, and a repeated time begins when it is shown first.
   */
  firstAt(local: number): number;
}

/** The default time zone. */
export const utc = 'UTC';

/** Whether a text is the IANA name of a known time zone. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false; // "+01:00", which Intl takes, has no calendar
  try {
    makeFormat(name);
    return true;
  } catch {
    return false;
  }
}

/** Opens the wall clock of a time zone. Use one per job: it remembers the offset of each day. */
export function openWallClock(timeZone: string): WallClock {
  if (timeZone === utc) return { localOf: (at) => at, firstAt: (local) => local };
  let format: Intl.DateTimeFormat | undefined; // costs a tenth of a millisecond
  const offsets = new Map<number, number>();

  function offsetAt(at: number): number {
    format ??= makeFormat(timeZone);
    const [month, day, year, hour, minute, second] = format.format(at).split(/\D+/).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const toSecond = Math.floor(at / 1_000) * 1_000;
    return Date.UTC(year, month - 1, day, hour, minute, second) - toSecond;
  }

  /** The offset at the beginning of a day of UTC. */
  function offsetOn(day: number): number {
    const offset = offsets.get(day) ?? offsetAt(day * dayMs);
    offsets.set(day, offset);
    return offset;
  }

  /** Finds the change of an offset between two instants. Within a day there is at most one. */
  function findChange(from: number, to: number, offset: number): number {
    let [before, after] = [from, to];
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (offsetAt(middle) === offset) before = middle;
      else after = middle;
    }
    return after;
  }

  return {
    localOf: (at) => at + offsetAt(at),
    firstAt(local) {
      // No offset exceeds a day: the instant is in the day before, in this one or in the next.
      const today = Math.floor(local / dayMs);
      for (const day of [today - 1, today, today + 1]) {
        const [start, end] = [day * dayMs, (day + 1) * dayMs];
        const [before, after] = [offsetOn(day), offsetOn(day + 1)];
        const change = before === after ? end : findChange(start, end, before);
        const early = Math.max(start, local - before);
        if (early < change) return early;
        const late = Math.max(change, local - after);
        if (late < end) return late;
      }
      return local - offsetOn(today + 2);
    },
  };
}

function makeFormat(timeZone: string): Intl.DateTimeFormat {
  const [year, month, day, hour, minute, second] = Array(6).fill('numeric');
  const shown = { year, month, day, hour, minute, second };
  return new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...shown });
}
