import type { Violation } from '#problems/problem.ts';
import { toDateTime } from '#time/date-time.ts';
import { hourMs } from '#time/durations.ts';
import type { Window } from '#time/window.ts';
import { type Instant, readInstant } from '#validation/instant.ts';
import type { TaskParameters } from '../task-parameters.ts';

/** The window of an export, and what replaces it. */
export interface SentWindow extends Window {
  /** The parameters that the task gets unchanged. Absent or null if the window decides. */
  taskParameters?: TaskParameters | null;
}

/**
 * Converts a window to AWS's form, which contains both ends: `to` is the last millisecond. The parameters of a
 * task stay as they are, whatever they mean. Policies decide about these values, AWS gets them, and the tasks of
 * AWS are compared with them.
 */
export function toInclusive({ fromAt, toAt, taskParameters }: SentWindow): {
  from: bigint;
  to: bigint;
} {
  if (taskParameters) return { from: taskParameters.from, to: taskParameters.to };
  return { from: BigInt(fromAt), to: BigInt(toAt) - 1n };
}

/**
 * How far ahead `to` may be with allowUnsettled. Lower: the end of the current day is refused in some
 * time zone, because a day can have 25 hours. Higher: mistakes are accepted, because nothing is
 * logged there.
 */
export const longestDayMs = 25 * hourMs;

/**
 * How far the clock of a caller may be ahead of ours. Lower: "until now", the most common window, is
 * refused at times. Higher is harmless: a slice that young waits for half a day.
 */
const clockDifferenceMs = 60_000;

/**
 * Reads the window of a job. `now` is by the clock of the database. Returns the window or all
 * violations, each with a valid value.
 */
export function readWindow(
  body: { from: Instant; to: Instant },
  { now, isUnsettledAllowed }: { now: number; isUnsettledAllowed: boolean },
): Window | Violation[] {
  const violations: Violation[] = [];
  const refuse = (name: string, detail: string) =>
    violations.push({ in: 'body', pointer: `#/${name}`, detail });
  const read = (name: 'from' | 'to') => {
    const reading = readInstant(body[name]);
    if ('at' in reading) return reading.at;
    refuse(name, reading.detail);
    return undefined;
  };

  const fromAt = read('from');
  const toAt = read('to');
  if (toAt !== undefined) {
    if (isUnsettledAllowed && toAt > now + longestDayMs) {
      refuse(
        'to',
        `must not be more than ${longestDayMs / hourMs} hours in the future; the latest value is ${write(body.to, now + longestDayMs)}`,
      );
    } else if (!isUnsettledAllowed && toAt > now + clockDifferenceMs) {
      refuse(
        'to',
        `must not be in the future: now is ${now} (${toDateTime(now)}); to export up to now and miss log events that arrive later, set allowUnsettled to true`,
      );
    }
  }
  if (fromAt !== undefined && toAt !== undefined && fromAt >= toAt) {
    refuse(
      'from',
      fromAt === toAt
        ? `must be before to, because to is exclusive; to export this one millisecond, set to to ${toAt + 1}`
        : `must be before to; the values may be swapped: from ${toAt}, to ${fromAt}`,
    );
  }
  if (fromAt === undefined || toAt === undefined || violations.length > 0) return violations;
  return { fromAt, toAt };
}

/** Writes an instant in the form in which one was sent. */
function write(sent: Instant, at: number): string {
  return typeof sent === 'string' ? toDateTime(at) : String(at);
}
