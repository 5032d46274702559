import { type AwsExportTask, exportTaskStatusCodes, isActive } from '#aws/export-task.ts';
import { statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import { recordCall } from '../store/record-change.ts';
import type { RunningSlice } from '../store/steps/read-active-slice.ts';
import { recordForeignTask } from '../store/steps/record-foreign-task.ts';
import { type CallToAws, toCallAuditContext } from '../store/steps/record-step.ts';
import { recordLoss } from './attempts/record-loss.ts';
import { nextPollAt } from './pacing/poll-time.ts';
import { cancelAtAws, type OwnedSlot, record, toStored } from './slot.ts';
import { alarmAfterMs, isAlarmDue, troubleAt } from './trouble.ts';

/**
 * Takes one look at the task in the slot, when it is time for one, and writes down what came of it.
 * Nothing is done before AWS has said so. Returns after how many milliseconds to look again.
 */
export async function watchTask(slot: OwnedSlot, active: RunningSlice): Promise<number> {
  const { target, callSpacing, durations, memory, elapsed } = slot;
  const isToBeCancelled = active.isCancelRequested && active.state === 'running';
  if (isToBeCancelled && elapsed() >= memory.cancelNotBefore) return cancelTask(slot, active);

  const { marker, logGroupName, ageMs, taskId } = active;
  const polledAt = memory.asked?.marker === marker ? memory.asked.polledAt : 0;
  const alike = active.state === 'cancelling' ? [] : durations.of(logGroupName);
  const freeInMs = callSpacing.freeInMs();
  const askAt = nextPollAt(polledAt, ageMs + freeInMs, alike);
  const waitMs = Math.max(freeInMs, askAt - ageMs);
  if (waitMs > 0) return waitMs;

  callSpacing.count();
  memory.asked = { marker, polledAt: ageMs };
  const page = await target.logs.describeExportTasks({ taskId }, { isFresh: true });
  const task = page.exportTasks.find((found) => found.taskId === taskId);
  const code = task?.status?.code;
  const by = { action: 'DescribeExportTasks', awsRequestId: page.awsRequestId } as const;
  if (!task || !code || !exportTaskStatusCodes.includes(code)) return missTask(slot, active, by);
  memory.missed = undefined;
  if (isActive(task)) return 0;
  await recordEnd(slot, active, task, by);
  return 0;
}

// A cancel that AWS did not take is tried again; meanwhile the task is watched like any other, for
// it may end by itself, and the role may never be permitted to cancel.
const cancelAgainMs = 10_000;

async function cancelTask(slot: OwnedSlot, active: RunningSlice): Promise<number> {
  const { target, database, memory, elapsed, log } = slot;
  const { jobId, slice, attempt, taskId } = active;
  const { awsRequestId, refusal } = await cancelAtAws(slot, taskId, active.caller);
  const by = { action: 'CancelExportTask', awsRequestId, problem: refusal?.slug } as const;
  // Already over, or not known any more: what became of it is read like any other end.
  const isOver =
    refusal?.slug === 'export-task-already-finished' || refusal?.slug === 'export-task-not-found';
  if (refusal && !isOver) {
    memory.cancelNotBefore = elapsed() + cancelAgainMs;
    log.warn({ err: refusal, target: target.name, taskId }, 'failed to cancel a task, retrying');
    const call = { target: target.name, jobId, taskId, destination: active.destination };
    await recordCall(database, call, toCallAuditContext(active, by));
    return 0;
  }
  const change = { type: 'slice-cancelling', slice, attempt, taskId } as const;
  await record(slot, active, { to: 'cancelling', attempt: {}, change, by });
  return 0;
}

async function recordEnd(
  slot: OwnedSlot,
  active: RunningSlice,
  task: AwsExportTask,
  by: CallToAws,
): Promise<void> {
  const { slice, attempt, taskId, logGroupName } = active;
  const { creationTime = null, completionTime = null } = task.executionInfo ?? {};
  const times = { taskCreatedAt: creationTime, taskCompletedAt: completionTime };
  switch (task.status?.code) {
    case 'COMPLETED':
      if (creationTime !== null && completionTime !== null) {
        slot.durations.add(logGroupName, completionTime - creationTime);
      }
      return record(
        slot,
        active,
        {
          to: 'completed',
          slice: { problem: null },
          attempt: { ...times, outcome: 'completed' },
          change: { type: 'slice-completed', slice, attempt, taskId },
          by,
        },
        'in-outcome',
      );
    case 'CANCELLED':
      if (!active.isCancelRequested)
        return recordFailure(slot, active, times, cancelledElsewhere(), by);
      return record(slot, active, {
        to: 'cancelled',
        attempt: { ...times, outcome: 'cancelled' },
        change: { type: 'slice-cancelled', slice, attempt },
        by,
      });
    default: {
      const says = task.status?.message;
      const detail = says && says !== 'FAILED' ? `AWS says: ${says}` : 'AWS gave no reason.';
      return recordFailure(slot, active, times, new Problem('export-task-failed', detail), by);
    }
  }
}

const cancelledElsewhere = () =>
  new Problem('export-task-cancelled', 'The task is CANCELLED, but this job did not cancel it.');

/** A failed attempt: back into the queue after a pause, up to the limit, unless somebody wanted it ended. */
async function recordFailure(
  slot: OwnedSlot,
  active: RunningSlice,
  times: { taskCreatedAt: number | null; taskCompletedAt: number | null },
  problem: Problem,
  by: CallToAws,
): Promise<void> {
  const isTriedAgain = problem.slug === 'export-task-failed' && !active.isCancelRequested;
  const outcome = problem.slug === 'export-task-cancelled' ? 'cancelled' : 'failed';
  await recordLoss(slot, active, {
    problem: toStored(problem),
    count: 'failures',
    pauseMs: isTriedAgain ? slot.limits.retryAfterMs[active.failures] : undefined,
    attempt: { ...times, outcome },
    by,
  });
}

/** AWS does not list the task, or in a state unknown here: that is not an end. */
async function missTask(slot: OwnedSlot, active: RunningSlice, by: CallToAws): Promise<number> {
  const { memory, elapsed, log, target } = slot;
  const { jobId, slice, attempt, taskId, ageMs, marker } = active;
  const now = elapsed();
  if (memory.missed?.marker !== marker) memory.missed = { marker, ...troubleAt(now) };
  const { missed } = memory;
  const missingMs = now - missed.since;
  if (isAlarmDue(missed, now)) {
    const facts = { target: target.name, jobId, slice, attempt, taskId, missingMs };
    log.error(facts, 'AWS does not list the task of a running slice');
  }
  if (ageMs > statedLimits.vanishedMs && missingMs >= alarmAfterMs) {
    const problem = new Problem('export-task-vanished', `AWS does not list task ${taskId}.`);
    const times = { taskCreatedAt: null, taskCompletedAt: null };
    await recordFailure(slot, active, times, problem, by);
  }
  return 0;
}

/**
 * Waits for a slot that AWS said is taken, while nothing of ours is in it: finds out by whom, watches
 * that task at the pace of one of ours of which nothing is known, never fights it. Its age counts from
 * when it was seen first. Returns after how many milliseconds to go on; 0 when it is free.
 */
export async function watchForeignTask(slot: OwnedSlot): Promise<number> {
  const { target, database, lease, callSpacing, memory, elapsed } = slot;
  const { foreign } = memory;
  const waitMs = Math.max(callSpacing.freeInMs(), (foreign?.askAt ?? 0) - elapsed());
  if (waitMs > 0) return waitMs;

  callSpacing.count();
  const query = foreign ? { taskId: foreign.taskId } : { limit: 50 };
  const page = await target.logs.describeExportTasks(query, { isFresh: true });
  const holder = page.exportTasks.find(isActive);
  if (holder?.taskId === undefined) {
    memory.isTaken = false;
    memory.foreign = undefined;
    if (foreign) memory.createNotBefore = elapsed(); // it has just ended: now
    await recordForeignTask(database, lease, undefined);
    return 0;
  }
  const { taskId, logGroupName, executionInfo } = holder;
  const seenAt = foreign?.taskId === taskId ? foreign.seenAt : elapsed();
  const ageMs = elapsed() - seenAt;
  const askAt = seenAt + nextPollAt(ageMs, ageMs, []);
  memory.foreign = { taskId, logGroupName, since: executionInfo?.creationTime, seenAt, askAt };
  await recordForeignTask(database, lease, memory.foreign);
  return 0;
}
