import { setAsNewest } from '#caching/bounded-map.ts';

/** The durations of the newest 25 tasks, of each log group and of all together. */
export interface TaskDurations {
  add(logGroupName: string, durationMs: number): void;
  /** The durations of a log group, the newest first; those of all log groups when it is new. */
  of(logGroupName: string): readonly number[];
}

// Fewer: one odd task changes the pace. More: it adapts slowly.
const maxRemembered = 25;
const maxLogGroups = 1_000;

/** Makes task durations from those in the database, the newest first. */
export function makeTaskDurations(
  remembered: readonly { logGroupName: string; durationMs: number }[],
): TaskDurations {
  const all: number[] = [];
  const byGroup = new Map<string, number[]>();
  const push = (list: number[], durationMs: number) => {
    list.unshift(durationMs);
    list.splice(maxRemembered);
  };
  const add = (logGroupName: string, durationMs: number) => {
    push(all, durationMs);
    const own = byGroup.get(logGroupName) ?? [];
    push(own, durationMs);
    setAsNewest(byGroup, logGroupName, own, maxLogGroups);
  };
  for (const { logGroupName, durationMs } of remembered.toReversed()) add(logGroupName, durationMs);
  return { add, of: (logGroupName) => byGroup.get(logGroupName) ?? all };
}
