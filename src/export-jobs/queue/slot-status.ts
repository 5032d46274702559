import { shareAnswers } from '#caching/shared-answers.ts';
import type { Database } from '#database/database.ts';
import type { SlotRecord, SlotStatusSource } from '#targets/slot.ts';
import { toDateTime } from '#time/date-time.ts';
import type { QueueView } from './queue-position.ts';
import { readActiveSlice, readClock, readForeignTask, readTasksSince } from './read-queue.ts';

const hourMs = 3_600_000;
// What the slot's owner saw of a task of somebody else; older, and AWS is asked again.
const foreignFreshForMs = 20_000;
// Whatever the number of askers.
const freshForMs = 1_000;

// AWS has to be asked.
const unknown = { slot: undefined, holder: {} };

/** Makes the book of the slots, from what the database knows; `elapsed` is a clock that only goes forward. */
export function makeSlotStatusSource(
  database: Database,
  queue: Pick<QueueView, 'depthOf'>,
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
      busyShareLastHour: busyShare(tasks, at),
      hasEnded: (taskId) => ended.has(taskId),
    };
  }

  async function readHolder(
    target: string,
    at: number,
  ): Promise<Pick<SlotRecord, 'slot' | 'holder'>> {
    const active = await readActiveSlice(queries, target);
    if (active) {
      const { jobId, slice, taskId, taskCreatedAt, submittedAt } = active;
      const since = toDateTime(taskCreatedAt ?? submittedAt);
      const task = taskId !== null && { taskId };
      const slot = { state: 'ours' as const, jobId, slice, ...task, since, seenAt: toDateTime(at) };
      return { slot, holder: {} };
    }
    const foreign = await readForeignTask(queries, target);
    if (!foreign?.foreignTaskId || !foreign.foreignSeenAt) return unknown;
    if (at - foreign.foreignSeenAt > foreignFreshForMs) return unknown;
    const { foreignTaskId: taskId, foreignLogGroupName: logGroupName, foreignSince } = foreign;
    const group = logGroupName === null ? {} : { logGroupName };
    const slot = {
      ...{ state: 'foreign' as const, taskId, ...group },
      ...(foreignSince !== null && { since: toDateTime(foreignSince) }),
      seenAt: toDateTime(foreign.foreignSeenAt),
    };
    return { slot, holder: group };
  }

  return { readSlot: shareAnswers(readSlot, { freshForMs, elapsed }) };
}

/** A task, as far as its times are known. AWS's own times go before ours. */
export interface TaskTimes {
  submittedAt: number;
  taskCreatedAt: number | null;
  taskCompletedAt: number | null;
  endedAt: number | null;
}

/** The share of the hour before `at` in which one of the tasks ran, in thousandths. */
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
