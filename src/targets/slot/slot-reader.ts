import { isActive } from '#aws/export-task.ts';
import { shareAnswers } from '#caching/shared-answers.ts';
import { statedLimits } from '#problems/limits.ts';
import { toDateTime } from '#time/date-time.ts';
import type { KnownTarget, Targets } from '../target.ts';
import type { Slot, SlotHolder, SlotStatusSource, TargetQueue } from './slot.ts';
import { type StartProblem, startProblemOf } from './start-problem.ts';

/** The sources of a slot status. */
export interface SlotReaderOptions {
  targets: Targets;
  /** What the export jobs know; absent when jobs are off. */
  slotStatusSource: SlotStatusSource | undefined;
  now: () => number;
  elapsed: () => number;
}

/** Reads the slot of a target and its queue. */
export interface SlotReader {
  /** @throws Problem when AWS is needed and does not answer */
  readSlot(target: Pick<KnownTarget, 'name' | 'state'>): Promise<SlotStatus>;
}

/** A slot, and the queue of export jobs in front of it when jobs are on. */
export interface SlotStatus {
  /** Absent if no export job holds it, and the target is not ready, so that AWS cannot be asked. */
  slot?: Slot;
  holder: SlotHolder;
  queue?: TargetQueue;
  /** Why no slice starts. */
  startProblem?: StartProblem | undefined;
  busyShareLastHour?: number;
}

// For all callers together. Shorter: callers who poll targets use up the five describes a second that AWS
// accepts per account and Region. Longer: a foreign task is shown long after its end.
export const slotFreshForMs = 5_000;

/** Makes a slot reader. The export jobs know about their own tasks, AWS about foreign ones. */
export function makeSlotReader(options: SlotReaderOptions): SlotReader {
  const { targets, slotStatusSource, now, elapsed } = options;
  const readActiveTasks = shareAnswers(
    async (name: string) => {
      // The one active task is among the newest: while it is active, none is created.
      const page = await targets
        .find(name)
        .logs.describeExportTasks({ limit: statedLimits.newestTasks });
      return { tasks: page.exportTasks.filter(isActive), seenAt: page.answeredAt ?? now() };
    },
    { freshForMs: slotFreshForMs, elapsed },
  );

  async function readFromAws(
    target: string,
    hasEnded: (taskId: string) => boolean,
  ): Promise<{ slot: Slot; holder: SlotHolder }> {
    const { tasks, seenAt } = await readActiveTasks(target);
    const task = tasks.find(({ taskId }) => taskId === undefined || !hasEnded(taskId));
    const observed = { seenAt: toDateTime(seenAt) };
    if (!task) return { slot: { state: 'free', ...observed }, holder: {} };
    const { taskId, taskName, logGroupName, executionInfo } = task;
    const since = executionInfo?.creationTime;
    const slot = {
      state: 'foreign' as const,
      ...(taskId !== undefined && { taskId }),
      ...(taskName !== undefined && { taskName }),
      ...(logGroupName !== undefined && { logGroupName }),
      ...(since !== undefined && { since: toDateTime(since) }),
      ...observed,
    };
    return { slot, holder: task };
  }

  return {
    async readSlot({ name, state }) {
      const fromAws = (hasEnded: (taskId: string) => boolean) =>
        state === 'ready' ? readFromAws(name, hasEnded) : { holder: {} };
      const jobs = await slotStatusSource?.readSlot(name);
      const startProblem = startProblemOf(targets, name, jobs?.createProblem);
      if (!jobs) return { ...(await fromAws(() => false)), startProblem };
      const { slot, holder, hasEnded, queue, busyShareLastHour } = jobs;
      const status = slot ? { slot, holder } : await fromAws(hasEnded);
      return { ...status, queue, busyShareLastHour, startProblem };
    },
  };
}
