import { shareAnswers } from '#caching/shared-answers.ts';
import type { Database } from '#database/database.ts';
import type { SlotRecord, SlotStatusSource } from '#targets/slot/slot.ts';
import { toDateTime } from '#time/date-time.ts';
import { hourMs } from '#time/durations.ts';
import type { QueueView } from '../position.ts';
import { readClock } from '../read-queue.ts';
import { readForeignTask, readSlotHolder, readTasksSince, toSlotHolder } from './read-slot.ts';
import { busyShare } from './slot-usage.ts';

// All callers share one reading. Shorter: each caller costs queries. Longer: answers feel stale.
const freshForMs = 1_000;

// Only AWS knows.
const unknown = { slot: undefined, holder: {} };

/**
 * Makes the status source of all slots from the database; `elapsed` is a clock that only goes
 * forward.
 */
export function makeSlotStatusSource(
  database: Database,
  queue: Pick<QueueView, 'depthOf' | 'problemOf'>,
  elapsed: () => number,
): SlotStatusSource {
  const { queries } = database;

  async function readSlot(target: string): Promise<SlotRecord> {
    const at = await readClock(database);
    const tasks = await readTasksSince(queries, target, at - hourMs);
    const callers = await queue.depthOf(target);
    const ended = new Set(tasks.filter((task) => task.endedAt).map(({ taskId }) => taskId));
    return {
      ...(await readHolder(target, at)),
      queue: {
        waiting: callers.reduce((sum, { waiting }) => sum + waiting, 0),
        ready: callers.reduce((sum, { ready }) => sum + ready, 0),
        callers,
      },
      createProblem: await queue.problemOf(target),
      busyShareLastHour: busyShare(tasks, at),
      hasEnded: (taskId) => ended.has(taskId),
    };
  }

  async function readHolder(
    target: string,
    at: number,
  ): Promise<Pick<SlotRecord, 'slot' | 'holder'>> {
    const active = await readSlotHolder(queries, target);
    if (active) {
      const { jobId, slice, taskId, taskCreatedAt, submittedAt } = active;
      const since = toDateTime(taskCreatedAt ?? submittedAt);
      const task = taskId !== null && { taskId };
      const slot = { state: 'ours' as const, jobId, slice, ...task, since, seenAt: toDateTime(at) };
      return { slot, holder: {} };
    }
    const foreign = await readForeignTask(queries, target, at);
    if (!foreign) return unknown;
    const { foreignTaskId: taskId, foreignSince, logGroupName } = foreign;
    const slot = {
      state: 'foreign' as const,
      taskId,
      ...(logGroupName !== null && { logGroupName }),
      ...(foreignSince !== null && { since: toDateTime(foreignSince) }),
      seenAt: toDateTime(foreign.foreignSeenAt),
    };
    return { slot, holder: toSlotHolder(foreign) };
  }

  return { readSlot: shareAnswers(readSlot, { freshForMs, elapsed }) };
}
