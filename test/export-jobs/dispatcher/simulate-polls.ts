import { makeCallSpacing } from '#export-jobs/dispatcher/pacing/call-spacing.ts';
import { makeTaskDurations } from '#export-jobs/dispatcher/pacing/task-durations.ts';
import { makeRandom } from '../../random.ts';

/** The tasks of a simulation. */
export interface SimulatedTasks {
  count: number;
  /** The duration of the next task, in seconds. */
  seconds: (random: () => number, index: number) => number;
  /** The log group of a task. Default: the same for all. */
  logGroupName?: (index: number) => string;
  /** What AWS rounds its times down to, in ms. Default: 1. */
  precisionMs?: number;
  /** The time of a call to AWS and back, in ms. Default: 20. */
  callMs?: number;
  /** The part of its calls that the slot has. Default: 1. */
  rateShare?: number;
}

/** What a simulation measured. */
export interface MeasuredPolls {
  /** The seconds from the end of a task to the next create, mean and 99th percentile. */
  mean: number;
  p99: number;
  describesPerSecond: number;
  callsPerSecond: number;
  mostDescribesInASecond: number;
}

const databaseMs = 3;

/**
 * Simulates the slot of a target whose queue is never empty, in virtual time: creates, polls with the
 * time that they travel, and timers that are late.
 */
export function simulatePolls(tasks: SimulatedTasks, seed: number): MeasuredPolls {
  const random = makeRandom(seed);
  const { count, seconds, logGroupName = () => '/app', precisionMs = 1, callMs = 20 } = tasks;
  const { rateShare = 1 } = tasks;
  const oneWayMs = () => (callMs / 2) * (0.8 + 0.4 * random()) + (random() < 0.01 ? 2 * callMs : 0);
  const timerLateMs = () => 0.5 + 1.5 * random() + (random() < 0.01 ? 20 : 0);
  const rounded = (at: number) => precisionMs * Math.floor(at / precisionMs);

  let now = 0;
  const callSpacing = makeCallSpacing({
    elapsed: () => now,
    secondMs: 1_000,
    rateShare: () => rateShare,
  });
  const durations = makeTaskDurations([], { secondMs: 1_000 });
  const handOffs: number[] = [];
  const describedAt: number[] = [];
  let endedAt: number | undefined;
  for (let index = 0; index < count; index++) {
    callSpacing.countWrite();
    const createdAt = now + oneWayMs();
    if (endedAt !== undefined) handOffs.push((createdAt - endedAt) / 1_000);
    const willEndAt = createdAt + 1_000 * seconds(random, index);
    now = createdAt + oneWayMs();

    const since = now;
    const policy = durations.policyOf(logGroupName(index));
    let polledAt = 0;
    for (let hasEnded = false; !hasEnded; ) {
      const nextAt = policy.nextPollAt({
        polledAt: polledAt / 1_000,
        notBefore: (now - since + callSpacing.freeInMs()) / 1_000,
        savedShare: callSpacing.savedShare(),
        rateShare,
      });
      now = Math.max(now, since + 1_000 * nextAt + timerLateMs());
      callSpacing.countRead();
      describedAt.push(now);
      const sentAt = now - since;
      const arrivedAt = now + oneWayMs();
      hasEnded = arrivedAt >= willEndAt;
      now = arrivedAt + oneWayMs();
      if (!hasEnded) polledAt = sentAt;
    }
    const known = rounded(willEndAt) - rounded(createdAt);
    durations.add(logGroupName(index), known, { runningAt: polledAt, endedAt: now - since });
    now += databaseMs;
    endedAt = willEndAt;
  }

  handOffs.sort((one, other) => one - other);
  return {
    mean: handOffs.reduce((sum, one) => sum + one, 0) / handOffs.length,
    p99: handOffs[Math.floor(0.99 * handOffs.length)] as number,
    describesPerSecond: (1_000 * describedAt.length) / now,
    callsPerSecond: (1_000 * (describedAt.length + count)) / now,
    mostDescribesInASecond: mostInASecond(describedAt),
  };
}

function mostInASecond(ascending: readonly number[]): number {
  let most = 0;
  let from = 0;
  for (const [index, at] of ascending.entries()) {
    while (at - (ascending[from] as number) >= 1_000) from += 1;
    most = Math.max(most, index - from + 1);
  }
  return most;
}
