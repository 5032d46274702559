import { hourMs } from '#time/durations.ts';

/** The known times of a task. AWS's own times take precedence over ours. */
export interface TaskTimes {
  submittedAt: number;
  taskCreatedAt: number | null;
  taskCompletedAt: number | null;
  endedAt: number | null;
}

/**
 * Computes the share of the hour before `at` in which any of the tasks ran, from 0 to 1, in steps of
 * 0.001.
 */
export function busyShare(tasks: readonly TaskTimes[], at: number): number {
  const runs = tasks
    .map((task) => ({
      from: Math.max(task.taskCreatedAt ?? task.submittedAt, at - hourMs),
      to: Math.min(task.taskCompletedAt ?? task.endedAt ?? at, at),
    }))
    .sort((one, other) => one.from - other.from);
  let busyMs = 0;
  let countedUntil = 0;
  for (const { from, to } of runs) {
    busyMs += Math.max(0, to - Math.max(from, countedUntil));
    countedUntil = Math.max(countedUntil, to);
  }
  return Math.round((busyMs / hourMs) * 1_000) / 1_000;
}
