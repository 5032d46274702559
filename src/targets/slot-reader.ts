import { isActive } from '#aws/export-task.ts';
import { shareAnswers } from '#caching/shared-answers.ts';
import { statedLimits } from '#problems/limits.ts';
import { toDateTime } from '#time/date-time.ts';
import type { Slot, SlotHolder, SlotStatusSource, TargetQueue } from './slot.ts';
import type { OpenTarget, Targets } from './target.ts';

/** What a slot is read from. */
export interface SlotReaderOptions {
  targets: Targets;
  /** What the export jobs know; without it there are none. */
  book: SlotStatusSource | undefined;
  now: () => number;
  elapsed: () => number;
}

/** What is in a target's slot, and who waits for it. */
export interface SlotReader {
  /** @throws Problem when AWS has to be asked and does not answer */
  readSlot(target: OpenTarget): Promise<SlotStatus>;
}

/** A slot, and where there are export jobs, their queue in front of it. */
export interface SlotStatus {
  slot: Slot;
  holder: SlotHolder;
  queue?: TargetQueue;
  busyShareLastHour?: number;
}

// However many ask. AWS takes five describes a second per account and Region, from everybody together.
export const slotFreshForMs = 5_000;

/** Makes the reader of slots: the export jobs know best what is theirs, AWS what is somebody else's. */
export function makeSlotReader(options: SlotReaderOptions): SlotReader {
  const { targets, book, now, elapsed } = options;
  const look = shareAnswers(
    async (name: string) => {
      // The one active task is among the newest: while it is active, none is created.
      const page = await targets
        .find(name)
        .logs.describeExportTasks({ limit: statedLimits.newestTasks });
      return { tasks: page.exportTasks.filter(isActive), seenAt: page.answeredAt ?? now() };
    },
    { freshForMs: slotFreshForMs, elapsed },
  );

  async function lookAtAws(
    target: string,
    hasEnded: (taskId: string) => boolean,
  ): Promise<{ slot: Slot; holder: SlotHolder }> {
    const { tasks, seenAt } = await look(target);
    const task = tasks.find(({ taskId }) => taskId === undefined || !hasEnded(taskId));
    const seen = { seenAt: toDateTime(seenAt) };
    if (!task) return { slot: { state: 'free', ...seen }, holder: {} };
    const { taskId, taskName, logGroupName, executionInfo } = task;
    const since = executionInfo?.creationTime;
    const slot = {
      state: 'foreign' as const,
      ...(taskId !== undefined && { taskId }),
      ...(taskName !== undefined && { taskName }),
      ...(logGroupName !== undefined && { logGroupName }),
      ...(since !== undefined && { since: toDateTime(since) }),
      ...seen,
    };
    return { slot, holder: task };
  }

  return {
    async readSlot({ name }) {
      if (!book) return lookAtAws(name, () => false);
      const { slot, holder, queue, busyShareLastHour, hasEnded } = await book.readSlot(name);
      const held = slot ? { slot, holder } : await lookAtAws(name, hasEnded);
      return { ...held, queue, busyShareLastHour };
    },
  };
}
