import { hourMs, minuteMs, secondMs } from '#time/durations.ts';

/** The times of the notifications, in milliseconds. */
export interface NotificationTimings {
  pollMs: number;
  leaseMs: number;
  /** The pauses before the tries of a delivery: the first one, the second one and so on. */
  pausesMs: readonly number[];
}

/** The timings in production. */
export const notificationTimings: NotificationTimings = {
  // How often a process looks for work when nothing wakes it. Shorter: an idle service has more statements. Longer:
  // behind a pooler, where no notification of PostgreSQL arrives, events leave later.
  pollMs: 3 * secondMs,
  // Longer than a delivery. Shorter: a slow database lets two processes send it. Longer: after a kill it is sent later.
  leaseMs: minuteMs,
  // As the specification of Standard Webhooks 1.0.0 recommends them.
  pausesMs: [
    0,
    5 * secondMs,
    5 * minuteMs,
    30 * minuteMs,
    2 * hourMs,
    5 * hourMs,
    10 * hourMs,
    14 * hourMs,
    20 * hourMs,
    24 * hourMs,
  ],
};
