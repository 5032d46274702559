import { gatewayItself } from '#audit/audit.ts';
import { type AwsExportTask, isActive } from '#aws/export-task.ts';
import { type Installation, isOwnMarker, markerPrefix } from '#targets/marker.ts';
import { findAttemptsByMarker, type MarkedAttempt, recordOrphan } from '../store/orphaned-tasks.ts';
import { recordCall } from '../store/record-change.ts';
import { isSameExport } from './attempts/same-export.ts';
import { cancelAtAws, type OwnedSlot } from './slot.ts';

/**
 * Whether the next page of a sweep is due. It goes between two looks at the running task where there
 * is room for it; where tasks are so short that there never is, it delays one when it is overdue.
 */
export function isSweepDue({ memory, limits, elapsed }: OwnedSlot, idleMs: number): boolean {
  const { sweep, sweptAt } = memory;
  const sinceMs = elapsed() - sweptAt;
  if (idleMs >= 0.7 * limits.pollIntervalMs)
    return sweep !== undefined || sinceMs >= limits.sweepIntervalMs;
  if (sweep) return elapsed() - sweep.beganAt >= 0.1 * limits.sweepIntervalMs;
  return sinceMs >= 1.1 * limits.sweepIntervalMs;
}

/**
 * Looks at one page of the newest tasks for those of ours that no slice knows: the effect of a create
 * that came after it was called absent, or of one that a frozen process sent late. Such an orphan is
 * told of, once, written down, and cancelled while it is active. Each attempt has a prefix of its
 * own, so its objects never mix with those of the task that counts.
 */
export async function sweepOrphansPage(slot: OwnedSlot): Promise<void> {
  const { target, database, installation, memory, limits, elapsed, callSpacing } = slot;
  memory.sweep ??= { beganAt: elapsed(), nextToken: undefined };
  const { beganAt, nextToken } = memory.sweep;
  callSpacing.note();
  const query = { limit: 50, ...(nextToken !== undefined && { nextToken }) };
  const page = await target.logs.describeExportTasks(query, { isFresh: true }).catch((problem) => {
    memory.sweep = undefined; // a token may have expired: from the beginning
    throw problem;
  });

  const ours = page.exportTasks.filter((task): task is Marked =>
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
  const backTo = (page.answeredAt ?? Number.NEGATIVE_INFINITY) - limits.sweepBackMs;
  const isWhole = page.nextToken === undefined || oldest < backTo;
  memory.sweep = isWhole ? undefined : { beganAt, nextToken: page.nextToken };
  if (isWhole) memory.sweptAt = beganAt;
}

type Marked = AwsExportTask & { taskId: string; taskName: string };

// A task without a time proves nothing about those behind it.
const createdAt = ({ executionInfo }: AwsExportTask) =>
  executionInfo?.creationTime ?? Number.POSITIVE_INFINITY;

/**
 * Whether a task under one of our markers is of ours, and not the one its slice knows. Names can be
 * made up and copied: one without a row must be signed, and one with a row export what that asked
 * for. An attempt without a task and an outcome is being settled: the task is the one looked for.
 */
function isOrphan(
  installation: Installation,
  task: Marked,
  attempt: MarkedAttempt | undefined,
): boolean {
  if (!attempt) return isOwnMarker(installation, task.taskName);
  if (!isSameExport(task, attempt)) return false;
  if (attempt.taskId === null) return attempt.outcome !== null;
  return attempt.taskId !== task.taskId;
}

async function handleOrphan(
  slot: OwnedSlot,
  task: Marked,
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
    log.error(facts, 'a task of ours is not the one its slice knows');
  }
  if (!isActive(task) || task.status?.code === 'PENDING_CANCEL') return;
  await reach('before-orphan-cancel');
  const { awsRequestId, refusal } = await cancelAtAws(slot, taskId, attempt?.caller);
  const call = { target: target.name, jobId, taskId, destination: task.destination ?? null };
  await recordCall(database, call, {
    ...{ action: 'CancelExportTask', principal: attempt?.caller ?? gatewayItself },
    ...{ requestId: marker, awsRequestId, problem: refusal?.slug },
  });
  if (!refusal) return;
  const facts = { err: refusal, target: target.name, taskId };
  log.warn(facts, 'failed to cancel an orphaned task, retrying');
}
