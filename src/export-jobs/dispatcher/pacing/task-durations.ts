import { setAsNewest } from '#caching/bounded-map.ts';
import { makePollPolicy, type PollPolicy } from './poll-policy.ts';

/** The durations of the newest tasks of a slot, and the poll policies that follow from them. */
export interface TaskDurations {
  /**
   * Adds the duration of a completed task, by AWS's clock. AWS may round its times, or show an end late.
   * So it is corrected by `polls`: the last one that saw the task running, and the one that saw its
   * end, in ms since it began.
   */
  add(logGroupName: string, durationMs: number, polls?: SeenAt): void;
  /**
   * The policy for tasks of a log group, from the durations of all log groups if it is new. It stays the
   * same until a duration is added.
   */
  policyOf(logGroupName: string): PollPolicy;
}

interface SeenAt {
  runningAt: number;
  endedAt: number;
}

// Fewer: rare durations are forgotten, and noticed late again. More: the pace adapts slowly.
const maxRemembered = 100;
const maxLogGroups = 250;

/**
 * Makes task durations from those in the database, the newest first. `secondMs` is 1,000, and less in
 * tests with shortened times.
 */
export function makeTaskDurations(
  remembered: readonly { logGroupName: string; durationMs: number }[],
  { secondMs }: { secondMs: number },
): TaskDurations {
  const all: number[] = [];
  const byGroup = new Map<string, number[]>();
  // A slot has one task at a time.
  let latest: { logGroupName: string; policy: PollPolicy } | undefined;

  const push = (list: number[], seconds: number) => {
    list.unshift(seconds);
    list.splice(maxRemembered);
  };
  function add(logGroupName: string, durationMs: number, polls?: SeenAt): void {
    const { runningAt = 0, endedAt = durationMs } = polls ?? {};
    const seconds = Math.min(Math.max(durationMs, runningAt), endedAt) / secondMs;
    push(all, seconds);
    const own = byGroup.get(logGroupName) ?? [];
    push(own, seconds);
    setAsNewest(byGroup, logGroupName, own, maxLogGroups);
    latest = undefined;
  }
  for (const { logGroupName, durationMs } of remembered.toReversed()) add(logGroupName, durationMs);

  return {
    add,
    policyOf(logGroupName) {
      if (latest?.logGroupName !== logGroupName) {
        const similar = byGroup.get(logGroupName) ?? all;
        latest = { logGroupName, policy: makePollPolicy(similar) };
      }
      return latest.policy;
    },
  };
}
