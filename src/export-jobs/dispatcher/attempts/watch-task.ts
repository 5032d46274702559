import { quoteAws, withoutArns } from '#aws/error-meaning.ts';
import { type AwsExportTask, exportTaskStatusCodes, isActive } from '#aws/export-task.ts';
import { completedTasks } from '#diagnostics/exports.ts';
import type { ProblemSlug } from '#problems/catalogue.ts';
import { statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import { alarmAfterMs } from '#telemetry/outage-log.ts';
import { isToBeSplit, taskTooLong, trySplit } from '../../splits/try-split.ts';
import type { RunningSlice } from '../../store/steps/read-active-slice.ts';
import type { CallToAws, Step } from '../../store/steps/record-step.ts';
import { beginVerification } from '../../store/verifications/begin-verification.ts';
import type { OwnedSlot, TaskWatch } from '../owned-slot.ts';
import { pollInMs, watchOf } from '../pacing/task-watch.ts';
import { isToBeCancelledAgain, requestCancel } from './cancel-task.ts';
import { recordFailedAttempt } from './record-failed-attempt.ts';
import { recordAndAnnounce } from './record-slice-step.ts';
import { toStored } from './stored-problem.ts';

/**
 * Polls the task in the slot, when a poll is due, and records its end. Only AWS's answer ends a slice.
 * Returns after how many milliseconds to poll again.
 */
export async function watchTask(slot: OwnedSlot, active: RunningSlice): Promise<number> {
  const { target, callSpacing, memory, elapsed } = slot;
  if (active.state === 'running' && elapsed() >= memory.cancelNotBefore) {
    const isWanted =
      active.isCancelRequested || (!active.taskParameters && (await isToBeSplit(slot, active)));
    if (isWanted) return requestCancel(slot, active);
  }

  const watch = watchOf(slot, active);
  const waitMs = pollInMs(slot, active, watch);
  if (waitMs > 0) return waitMs;

  callSpacing.countRead();
  const { taskId } = active;
  const sentAt = elapsed();
  watch.pollAt = undefined;
  watch.polls += 1;
  const page = await target.logs.describeExportTasks({ taskId }, { isFresh: true });
  const task = page.exportTasks.find((found) => found.taskId === taskId);
  const code = task?.status?.code;
  const by = { action: 'DescribeExportTasks', awsRequestId: page.awsRequestId } as const;
  if (!task || !code || !exportTaskStatusCodes.includes(code)) {
    watch.polledAt = sentAt - watch.since;
    return handleUnlistedTask(slot, active, by);
  }
  memory.unlisted = undefined;
  slot.outages.listing.worked({ target: target.name, taskId }, 'AWS lists the running task again');
  if (isActive(task)) {
    watch.polledAt = sentAt - watch.since;
    return isToBeCancelledAgain(slot, watch, code)
      ? requestCancel(slot, active)
      : pollInMs(slot, active, watch);
  }
  memory.endedAt = endedAtOf(task, watch, elapsed());
  await recordEnd(slot, active, task, watch, by);
  return 0;
}

/**
 * When a task ended, by our own clock. The clock of AWS may differ, and the `Date` of its answers has whole
 * seconds. So it is the time of the create plus the duration, or else the time at which we saw the end.
 */
function endedAtOf({ executionInfo }: AwsExportTask, watch: TaskWatch, seenAt: number): number {
  const { creationTime, completionTime } = executionInfo ?? {};
  if (!watch.isFromStart || creationTime === undefined || completionTime === undefined)
    return seenAt;
  const ranMs = Math.max(watch.polledAt, completionTime - creationTime);
  return Math.min(seenAt, watch.since + ranMs);
}

async function recordEnd(
  slot: OwnedSlot,
  active: RunningSlice,
  task: AwsExportTask,
  watch: TaskWatch,
  by: CallToAws,
): Promise<void> {
  const { slice, attempt, taskId } = active;
  const { creationTime = null, completionTime = null } = task.executionInfo ?? {};
  const times = { taskCreatedAt: creationTime, taskCompletedAt: completionTime };
  switch (task.status?.code) {
    case 'COMPLETED': {
      slot.outages.slices.worked({ target: slot.target.name }, 'slices complete again');
      const seenMs = slot.elapsed() - watch.since;
      const step: Step = {
        to: 'completed',
        slice: { problem: null },
        attempt: { ...times, outcome: 'completed' },
        change: { type: 'slice-completed', slice, attempt, taskId },
        by,
      };
      // The next slice starts at once: the verification does not need the slot.
      await recordAndAnnounce(
        slot,
        active,
        active.isVerified ? toVerification(slot, active, step) : step,
        'in-outcome',
      );
      if (active.isVerified) slot.onVerifying();
      if (creationTime === null || completionTime === null) return;
      const durationMs = completionTime - creationTime;
      const polls = watch.isFromStart ? { runningAt: watch.polledAt, endedAt: seenMs } : undefined;
      slot.durations.add(active.logGroupName, durationMs, polls);
      completedTasks.publish({ target: slot.target.name, durationMs });
      return;
    }
    case 'CANCELLED':
      if (active.isCancelRequested) {
        await recordAndAnnounce(slot, active, {
          to: 'cancelled',
          attempt: { ...times, outcome: 'cancelled' },
          change: { type: 'slice-cancelled', slice, attempt },
          by,
        });
        return;
      }
      return recordFailure(
        slot,
        active,
        times,
        isOutOfTime(active, times) ? taskTooLong() : cancelledElsewhere(),
        by,
      );
    default: {
      const reason = task.status?.message;
      const detail = reason && reason !== 'FAILED' ? quoteAws(reason) : 'AWS gave no reason.';
      const awsError = JSON.stringify({ code: 'FAILED', message: withoutArns(reason ?? 'FAILED') });
      const ended = active.taskParameters ? { ...times, awsError } : times;
      return recordFailure(slot, active, ended, new Problem('export-task-failed', detail), by);
    }
  }
}

/** The step that leaves the slot and begins the verification. */
function toVerification(
  { database, target }: OwnedSlot,
  { jobId, slice, attempt, taskId, caller }: RunningSlice,
  step: Step,
): Step {
  const { name, accountId, region } = target;
  const begun = { jobId, slice, attempt, target: name, caller, accountId, region, taskId };
  return {
    ...step,
    to: 'verifying',
    change: { type: 'slice-verifying', slice, attempt, taskId },
    alsoRecord: (queries) => beginVerification(queries, database, begun),
  };
}

const cancelledElsewhere = () =>
  new Problem('export-task-cancelled', 'The task is CANCELLED, but this job did not cancel it.');

/** When a task was created and ended, by the clock of AWS. */
type TaskTimes = Record<'taskCreatedAt' | 'taskCompletedAt', number | null>;

/**
 * Whether a task ended without an export because it took too long. Without a cancel of its job, a slice is
 * `cancelling` only to be split. AWS does not document how it ends a task after 24 hours, nor with which times.
 */
function isOutOfTime(
  { state, ageMs }: RunningSlice,
  { taskCreatedAt, taskCompletedAt }: TaskTimes,
): boolean {
  const hasTimes = taskCreatedAt !== null && taskCompletedAt !== null;
  const ranMs = hasTimes ? taskCompletedAt - taskCreatedAt : ageMs;
  return state === 'cancelling' || ranMs >= statedLimits.splitAfterMs;
}

/** The problems of tasks that may end otherwise the next time. */
const retriedProblems = new Set<ProblemSlug>(['export-task-failed', 'export-task-too-long']);
/** The problems of tasks that AWS has cancelled. */
const cancelProblems = new Set<ProblemSlug>(['export-task-cancelled', 'export-task-too-long']);

/**
 * Records a failed attempt. Splits the slice if that may help. Otherwise puts it back into the queue, unless
 * its limit is reached or a cancel was requested.
 */
async function recordFailure(
  slot: OwnedSlot,
  active: RunningSlice,
  times: TaskTimes & { awsError?: string },
  problem: Problem,
  by: CallToAws,
): Promise<void> {
  // As at AWS, the end of a task is final for the client that created it.
  const isFinal = active.taskParameters !== null || active.isCancelRequested;
  const isRetried = retriedProblems.has(problem.slug) && !isFinal;
  const outcome = cancelProblems.has(problem.slug) ? 'cancelled' : 'failed';
  const failed = {
    problem: toStored(problem),
    attempt: { ...times, outcome },
    by,
  };
  const ranOut = { isOutOfTime: isOutOfTime(active, times) };
  if (isRetried && (await trySplit(slot, active, failed, ranOut))) return;
  await recordFailedAttempt(slot, active, {
    ...failed,
    count: 'failures',
    pauseMs: isRetried ? slot.timings.retryAfterMs[active.failures] : undefined,
  });
}

/** Handles a task that AWS does not list, or in an unknown state. Neither is an end. */
async function handleUnlistedTask(
  slot: OwnedSlot,
  active: RunningSlice,
  by: CallToAws,
): Promise<number> {
  const { memory, elapsed, outages, target } = slot;
  const { jobId, slice, attempt, taskId, ageMs, marker } = active;
  if (memory.unlisted?.marker !== marker) {
    memory.unlisted = { marker, since: elapsed() };
    outages.listing.forget();
  }
  const missingMs = elapsed() - memory.unlisted.since;
  const facts = { target: target.name, jobId, slice, attempt, taskId };
  outages.listing.failed(facts, 'AWS did not list the task of a running slice');
  if (ageMs > statedLimits.vanishedMs && missingMs >= alarmAfterMs) {
    const problem = new Problem('export-task-vanished', `AWS does not list task ${taskId}.`);
    const times = { taskCreatedAt: null, taskCompletedAt: null };
    await recordFailure(slot, active, times, problem, by);
  }
  return 0;
}
