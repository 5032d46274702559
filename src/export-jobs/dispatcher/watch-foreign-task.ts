import { isActive } from '#aws/export-task.ts';
import { recordForeignTask } from '../store/steps/record-foreign-task.ts';
import type { OwnedSlot } from './owned-slot.ts';
import { unknownTask } from './pacing/poll-policy.ts';
import { takenAlarmMs } from './slot-outages.ts';

/**
 * Watches a foreign task in a slot that AWS reports as taken, while we have no task in it. It never
 * cancels that task. It polls as for a task of ours with unknown duration. Returns after how many milliseconds to continue; 0 when the slot is free.
 */
export async function watchForeignTask(slot: OwnedSlot): Promise<number> {
  const { target, database, lease, callSpacing, memory, outages, timings, elapsed } = slot;
  const { foreign } = memory;
  const waitMs = Math.max(callSpacing.freeInMs(), (foreign?.pollAt ?? 0) - elapsed());
  if (waitMs > 0) return waitMs;

  callSpacing.countRead();
  const query = foreign ? { taskId: foreign.taskId } : { limit: 50 };
  const page = await target.logs.describeExportTasks(query, { isFresh: true });
  const holder = page.exportTasks.find(isActive);
  if (holder?.taskId === undefined) {
    memory.isTaken = false;
    memory.foreign = undefined;
    if (foreign) memory.createNotBefore = elapsed(); // it has just ended: start the next slice now
    await recordForeignTask(database, lease, undefined);
    return 0;
  }
  const { taskId, logGroupName, destination, destinationPrefix, executionInfo } = holder;
  const since = executionInfo?.creationTime;
  const now = elapsed();
  const ageMs = Math.max(0, since === undefined ? 0 : (page.answeredAt ?? since) - since); // by AWS's clock
  const beganAt = foreign?.taskId === taskId ? foreign.beganAt : now - ageMs;
  const pollAt =
    beganAt +
    timings.secondMs *
      unknownTask.nextPollAt({
        polledAt: (now - beganAt) / timings.secondMs,
        notBefore: (now - beganAt + callSpacing.freeInMs()) / timings.secondMs,
        savedShare: callSpacing.savedShare(),
        rateShare: callSpacing.rateShare(),
      });
  const resources = { logGroupName, destination, destinationPrefix };
  memory.foreign = { taskId, ...resources, since, beganAt, pollAt };
  const heldSince = since === undefined ? undefined : new Date(since).toISOString();
  const facts = {
    target: target.name,
    problem: 'export-slot-taken',
    taskId,
    logGroupName,
    heldSince,
  };
  const text = 'slot held by a task that no job created, waiting';
  const kind = `${text} ${taskId}`; // each holder is named at once
  outages.creates.failed(facts, text, { alarmAfterMs: takenAlarmMs, kind });
  await recordForeignTask(database, lease, memory.foreign);
  return 0;
}
