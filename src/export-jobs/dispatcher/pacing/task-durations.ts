import { setAsNewest } from '#caching/bounded-map.ts';

/** What is remembered of how long tasks took: of each log group the newest 25, and of all. */
export interface TaskDurations {
  add(logGroupName: string, durationMs: number): void;
  /** Of this log group; of any, when it is new; newest first. */
  of(logGroupName: string): readonly number[];
}

const maxRemembered = 25;
const maxLogGroups = 1_000;

/** Makes such a memory from what the database remembers, newest first. */
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
