import { gatewayItself } from '#audit/audit.ts';
import { type AwsExportTask, isActive } from '#aws/export-task.ts';
import { type Installation, isOwnMarker, markerPrefix } from '#targets/marker.ts';
import { findAttemptsByMarker, type MarkedAttempt, recordOrphan } from '../store/orphaned-tasks.ts';
import { recordCall } from '../store/record-change.ts';
import { cancelTaskAtAws } from './attempts/cancel-task.ts';
import { isSameExport } from './attempts/same-export.ts';
import type { OwnedSlot } from './owned-slot.ts';

/**
 * Whether the next page of a sweep is due. It runs between two polls of the task in the slot if there
 * is time for it. If tasks are too short for that, an overdue sweep delays a poll.
 */
export function isSweepDue({ memory, timings, elapsed }: OwnedSlot, idleMs: number): boolean {
  const { sweep, sweptAt } = memory;
  const sinceMs = elapsed() - sweptAt;
  if (idleMs >= 0.5 * timings.secondMs)
    return sweep !== undefined || sinceMs >= timings.sweepIntervalMs;
  if (sweep) return elapsed() - sweep.beganAt >= 0.1 * timings.sweepIntervalMs;
  return sinceMs >= 1.1 * timings.sweepIntervalMs;
}

/**
 * Sweeps one page of the newest tasks for orphans: tasks of ours that no slice knows. They come from a
 * create that took effect after it counted as absent, or that a frozen process sent late. An orphan is
 * recorded, logged once, and cancelled while it is active.
 */
export async function sweepOrphansPage(slot: OwnedSlot): Promise<void> {
  const { target, database, installation, memory, timings, elapsed, callSpacing } = slot;
  memory.sweep ??= { beganAt: elapsed(), nextToken: undefined };
  const { beganAt, nextToken } = memory.sweep;
  callSpacing.countRead();
  const query = { limit: 50, ...(nextToken !== undefined && { nextToken }) };
  const page = await target.logs.describeExportTasks(query, { isFresh: true }).catch((problem) => {
    memory.sweep = undefined; // the token may have expired: start again
    throw problem;
  });

  const ours = page.exportTasks.filter((task): task is MarkedTask =>
    Boolean(task.taskId && task.taskName?.startsWith(markerPrefix(installation.id))),
  );
  const attempts = await findAttemptsByMarker(
    database,
    ours.map(({ taskName }) => taskName),
  );
  for (const task of ours) {
    const attempt = attempts.get(task.taskName);
    if (isOrphan(installation, task, attempt)) await handleOrphan(slot, task, attempt);
  }

  const oldest = Math.min(...page.exportTasks.map(createdAt), Number.POSITIVE_INFINITY);
  const backTo = (page.answeredAt ?? Number.NEGATIVE_INFINITY) - timings.sweepBackMs;
  const isComplete = page.nextToken === undefined || oldest < backTo;
  memory.sweep = isComplete ? undefined : { beganAt, nextToken: page.nextToken };
  if (isComplete) memory.sweptAt = beganAt;
}

type MarkedTask = AwsExportTask & { taskId: string; taskName: string };

// A task without a time proves nothing about the tasks after it.
const createdAt = ({ executionInfo }: AwsExportTask) =>
  executionInfo?.creationTime ?? Number.POSITIVE_INFINITY;

/**
 * Whether a task with one of our markers is ours, but not the one its slice knows. Names can be
 * invented and copied: a marker without a row must have a valid signature, and one with a row must
 * export the same. An attempt without task and outcome is still being reconciled: the task is the one
 * looked for.
 */
function isOrphan(
  installation: Installation,
  task: MarkedTask,
  attempt: MarkedAttempt | undefined,
): boolean {
  if (!attempt) return isOwnMarker(installation, task.taskName);
  if (!isSameExport(task, attempt)) return false;
  if (attempt.taskId === null) return attempt.outcome !== null;
  return attempt.taskId !== task.taskId;
}

async function handleOrphan(
  slot: OwnedSlot,
  task: MarkedTask,
  attempt: MarkedAttempt | undefined,
): Promise<void> {
  const { target, database, log, reach } = slot;
  const { taskId, taskName: marker } = task;
  const jobId = attempt?.jobId ?? null;
  if (await recordOrphan(database, { taskId, target: target.name, marker, jobId })) {
    const facts = {
      alert: 'duplicate_export_detected',
      target: target.name,
      taskId,
      marker,
      jobId,
    };
    log.error(facts, 'found an orphaned task');
  }
  if (!isActive(task) || task.status?.code === 'PENDING_CANCEL') return;
  await reach('before-orphan-cancel');
  const { awsRequestId, refusal } = await cancelTaskAtAws(slot, taskId, attempt?.caller);
  const call = { target: target.name, jobId, taskId, destination: task.destination ?? null };
  await recordCall(database, call, {
    action: 'CancelExportTask',
    principal: attempt?.caller ?? gatewayItself,
    requestId: marker,
    awsRequestId,
    problem: refusal?.slug,
  });
  if (!refusal) return;
  const facts = { err: refusal, target: target.name, taskId };
  log.warn(facts, 'failed to cancel an orphaned task, retrying');
}
