import { gatewayItself } from '#audit/audit.ts';
import { type AwsExportTask, isActive } from '#aws/export-task.ts';
import { orphanedTasks } from '#diagnostics/exports.ts';
import { statedLimits } from '#problems/limits.ts';
import { type Installation, isOwnMarker, jobOfMarker, markerPrefix } from '#targets/marker.ts';
import { dayMs } from '#time/durations.ts';
import {
  findAttemptsByMarker,
  findDeletedJobs,
  type MarkedAttempt,
  notePossibleOrphan,
  recordOrphan,
} from '../store/orphaned-tasks.ts';
import { recordCall } from '../store/record-change.ts';
import { cancelTaskAtAws, isOver } from './attempts/cancel-task.ts';
import { isSameExport } from './attempts/same-export.ts';
import type { OwnedSlot } from './owned-slot.ts';

/**
 * In how many ms the next page of a sweep is due; never while nothing can have left an orphan. A page is
 * read between two polls of the task in the slot if there is time for it: the next poll is due in
 * `idleMs`. If tasks are too short for that, an overdue sweep delays a poll.
 */
export function sweepDueInMs({ memory, timings, elapsed }: OwnedSlot, idleMs: number): number {
  const { sweep, sweptAt, sentAt } = memory;
  const { sweepIntervalMs, sweepAfterSendMs, secondMs, idleMs: lookEveryMs } = timings;
  // A little longer than targets are found for it: otherwise they are found again for nothing.
  const isOver = elapsed() - sentAt > sweepAfterSendMs + 2 * lookEveryMs;
  if (isOver && !sweep) return Number.POSITIVE_INFINITY;
  const isTight = idleMs < 0.5 * secondMs;
  if (sweep) return isTight ? sweep.beganAt + 0.1 * sweepIntervalMs - elapsed() : 0;
  return sweptAt + (isTight ? 1.1 : 1) * sweepIntervalMs - elapsed();
}

// Nothing was sent since the last sweep, so such an old orphan is rare. Lower: it is never found. Higher:
// after a long pause, a sweep lists thousands of tasks of others.
const maxPauseMs = 7 * dayMs;

/** How far back a sweep must list: to the last complete one, and to what was on its way then. */
function sweepBackMs({ memory, timings, elapsed }: OwnedSlot): number {
  const sinceMs = elapsed() - memory.sweptAt;
  return timings.sweepBackMs + (Number.isFinite(sinceMs) ? Math.min(sinceMs, maxPauseMs) : 0);
}

/**
 * Sweeps one page of the newest tasks for orphans: tasks of ours that no slice knows. They come from a
 * create that took effect after it counted as absent, or that a frozen process sent late. An orphan is
 * recorded, logged once, and cancelled while it is active.
 */
export async function sweepOrphansPage(slot: OwnedSlot): Promise<void> {
  const { target, memory, elapsed, callSpacing } = slot;
  memory.sweep ??= { beganAt: elapsed(), backMs: sweepBackMs(slot), nextToken: undefined };
  const { beganAt, backMs, nextToken } = memory.sweep;
  callSpacing.countRead();
  const query = { limit: 50, ...(nextToken !== undefined && { nextToken }) };
  const page = await target.logs.describeExportTasks(query, { isFresh: true }).catch((problem) => {
    memory.sweep = undefined; // the token may have expired: start again
    throw problem;
  });

  const now = page.answeredAt ?? Number.NEGATIVE_INFINITY;
  for (const { task, attempt } of await findOrphans(slot, page.exportTasks, now)) {
    await handleOrphan(slot, task, attempt);
  }

  const oldest = Math.min(...page.exportTasks.map(createdAt), Number.POSITIVE_INFINITY);
  const backTo = now - backMs;
  const isComplete = page.nextToken === undefined || oldest < backTo;
  memory.sweep = isComplete ? undefined : { beganAt, backMs, nextToken: page.nextToken };
  if (isComplete) memory.sweptAt = beganAt;
}

type MarkedTask = AwsExportTask & { taskId: string; taskName: string };

// A task without a time proves nothing about the tasks after it.
const createdAt = ({ executionInfo }: AwsExportTask) =>
  executionInfo?.creationTime ?? Number.POSITIVE_INFINITY;

/** A task with one of our markers, and the attempt of that marker. */
interface FoundTask {
  task: MarkedTask;
  attempt: MarkedAttempt | undefined;
}

/**
 * Finds the orphans among some tasks. No task of a deleted job is one: the row that knew it is deleted,
 * too. An active one has a copied name, because the job had ended long before. Nor is an old task that
 * has ended one: the row of its job, and what was known of the job after that, may be deleted.
 */
async function findOrphans(
  { database, installation }: OwnedSlot,
  tasks: readonly AwsExportTask[],
  now: number,
): Promise<FoundTask[]> {
  const isForgotten = (task: AwsExportTask) =>
    !isActive(task) && createdAt(task) < now - statedLimits.idAfterDeletionMs;
  const ours = tasks.filter((task): task is MarkedTask =>
    Boolean(task.taskId && task.taskName?.startsWith(markerPrefix(installation.id))),
  );
  const names = ours.map(({ taskName }) => taskName);
  const attempts = await findAttemptsByMarker(database, names);
  const orphans = ours
    .map((task) => ({ task, attempt: attempts.get(task.taskName) }))
    .filter(({ task, attempt }) => isOrphan(installation, task, attempt) && !isForgotten(task));
  const jobOf = ({ task }: FoundTask) => jobOfMarker(task.taskName) ?? '';
  const withoutRow = orphans.filter(({ attempt }) => !attempt);
  const deleted = await findDeletedJobs(database, withoutRow.map(jobOf));
  return orphans.filter((orphan) => !deleted.has(jobOf(orphan)));
}

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
  const { target, database, memory, elapsed, log, outages, reach } = slot;
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
    orphanedTasks.publish({ target: target.name });
  }
  if (!isActive(task) || task.status?.code === 'PENDING_CANCEL') return;
  // Until it is cancelled, it is looked for like one that has just been sent.
  memory.sentAt = elapsed();
  await notePossibleOrphan(database, target.name);
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
  if (!refusal || isOver(refusal)) {
    return outages.cancels.worked({ target: target.name }, 'AWS accepts cancels again');
  }
  const facts = { target: target.name, taskId, problem: refusal.slug, err: refusal };
  outages.cancels.failed(facts, 'failed to cancel an orphaned task, retrying');
}
