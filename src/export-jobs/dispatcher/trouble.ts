/** Something that has not worked since an instant, and when that was reported last; of `elapsed`. */
export interface Trouble {
  since: number;
  reportedAt: number;
}

// Sooner, and every hiccup of AWS wakes somebody; later, and a queue stands still unnoticed.
export const alarmAfterMs = 15 * 60_000;

/** The beginning of a trouble. */
export const troubleAt = (now: number): Trouble => ({ since: now, reportedAt: now });

/** Whether to raise the alarm now: it has lasted, and was not reported for as long. Notes that it was. */
export function isAlarmDue(trouble: Trouble, now: number): boolean {
  if (now - trouble.reportedAt < alarmAfterMs) return false;
  trouble.reportedAt = now;
  return true;
}
