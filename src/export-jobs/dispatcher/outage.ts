/** Something that has not worked since an instant, and when it was last reported as an error. */
export interface Outage {
  since: number;
  reportedAt: number;
}

// Shorter: every hiccup of AWS wakes an operator. Longer: a queue stands still unnoticed.
export const alarmAfterMs = 15 * 60_000;

/** Starts an outage. */
export const startOutage = (now: number): Outage => ({ since: now, reportedAt: now });

/**
 * Whether the outage has lasted for `alarmAfterMs` since its start or its last report. Then it counts
 * as reported.
 */
export function isAlarmDue(outage: Outage, now: number): boolean {
  if (now - outage.reportedAt < alarmAfterMs) return false;
  outage.reportedAt = now;
  return true;
}
