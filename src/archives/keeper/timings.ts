import { hourMs, minuteMs } from '#time/durations.ts';

/** The times of the keeper, in milliseconds, and its counts. */
export interface KeeperTimings {
  pollMs: number;
  leaseMs: number;
  lookEveryMs: number;
  listEveryMs: number;
  checkEveryMs: number;
  heartbeatEveryMs: number;
  refusedForMs: number;
  retryAfterMs: readonly number[];
  looksAtOnce: number;
}

/** The timings in production. */
export const keeperTimings: KeeperTimings = {
  // How often a process asks for archives to look at, so how soon a queue is filled again. Shorter: an idle
  // service has more statements. Longer: short exports empty the queue of an archive, and the slot is idle.
  pollMs: 3_000,
  // Longer than a call to AWS that waits for callers. Shorter: a slow listing loses its look. Longer: after a
  // kill, nobody looks at the archive for longer.
  leaseMs: 60_000,
  // Shorter: idle archives cost statements. Longer: partitions become due, and archives late, unnoticed.
  lookEveryMs: 2 * minuteMs,
  // With the time between two looks and that of a listing it stays under the 15 minutes that are promised. Shorter:
  // large archives list all the time. Longer: the promise is broken.
  listEveryMs: 12 * minuteMs,
  // How often the destination of a stopped archive is checked.
  checkEveryMs: 15 * minuteMs,
  heartbeatEveryMs: 5 * minuteMs,
  // How long a partition that the policies refuse is not tried. Shorter: the audit fills with refusals. Longer:
  // an archive whose policies are back stands still.
  refusedForMs: hourMs,
  // The pauses after failures of a partition. After the last one it needs a backfill.
  retryAfterMs: [hourMs, 6 * hourMs, 24 * hourMs],
  // Fewer: one large archive delays all others. More: they take connections of the database from requests.
  looksAtOnce: 4,
};
