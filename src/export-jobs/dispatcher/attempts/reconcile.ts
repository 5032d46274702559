import { Problem } from '#problems/problem.ts';
import type { SliceProblem } from '../../export-job.ts';
import type { StartingSlice } from '../../store/steps/read-active-slice.ts';
import { type OwnedSlot, record, toStored } from '../slot.ts';
import { recordLoss } from './record-loss.ts';
import { isSameExport } from './same-export.ts';

// How far AWS's clock and the database's may drift apart while a create is settled.
const clockSkewMs = 15 * 60_000;

const everyTask = {};

/** The queries of one whole listing: under a filter a task shows even if the newest page lags. */
const listings = [{ statusCode: 'RUNNING' }, { statusCode: 'PENDING' }, everyTask] as const;

/**
 * Finds out what became of a create whose outcome is not on record: its answer was lost, or its
 * sender. The task is found by its marker and adopted. It is absent only when it was sent long ago
 * and several whole listings, well apart, did not have it; a listing that failed says nothing.
 * Returns after how many milliseconds to look again.
 */
export async function reconcileStart(slot: OwnedSlot, active: StartingSlice): Promise<number> {
  const { limits, memory, elapsed, log, target } = slot;
  const { marker, ageMs, jobId, slice, attempt } = active;
  if (memory.looks?.marker !== marker) {
    const lookedAt = Number.NEGATIVE_INFINITY;
    memory.looks = { marker, missing: 0, lookedAt };
  }
  const looks = memory.looks;
  // The first looks come soon: mostly only the answer was lost. Those that count come well apart.
  const pauseMs = Math.min(limits.listingIntervalMs, ageMs);
  const waitMs = looks.lookedAt + pauseMs - elapsed();
  if (waitMs > 0) return waitMs;

  const isApart = elapsed() - looks.lookedAt >= limits.listingIntervalMs;
  const isAnswerDue = ageMs > limits.createDeadlineMs;
  looks.lookedAt = elapsed();
  const { found, other } = await lookForTask(slot, active);
  if (found) {
    const { taskId, awsRequestId } = found;
    const by = { action: 'DescribeExportTasks', awsRequestId } as const;
    const change = { type: 'slice-running', slice, attempt, taskId } as const;
    const row = { slice: { misses: 0 }, attempt: { taskId, problem: null } };
    await record(slot, active, { to: 'running', ...row, change, by }, 'in-adopt');
    log.info({ target: target.name, jobId, slice, attempt, taskId }, 'a lost create was found');
    return 0;
  }
  if (isApart && isAnswerDue) looks.missing += 1;
  if (looks.missing < limits.looks || ageMs <= limits.reconcileMs) return 0;

  if (other !== undefined) {
    await recordOther(slot, active, other);
    return 0;
  }
  await recordNotCreated(slot, active);
  log.info({ target: target.name, jobId, slice, attempt }, 'a lost create never took effect');
  return 0;
}

/**
 * The create came to nothing. What AWS answered, or that it did not, is the problem of the slice; it
 * is sent again after a pause, up to the limit. That its sender died says nothing of the slice.
 */
async function recordNotCreated(slot: OwnedSlot, active: StartingSlice): Promise<void> {
  const { slice, attempt, misses, isCancelRequested } = active;
  const by = { action: 'DescribeExportTasks' } as const; // of several answers
  if (active.problem === null) {
    const problem = 'not-created';
    const change = { type: 'slice-waiting', slice, attempt, readyInMs: 0, problem } as const;
    const step = { to: 'waiting', attempt: { outcome: problem }, change, by } as const;
    return record(slot, active, step, 'in-requeue');
  }
  const pauseMs = isCancelRequested ? 0 : slot.limits.resendAfterMs[misses];
  const answer: SliceProblem = JSON.parse(active.problem);
  const problem = {
    ...answer,
    detail: `${answer.detail} AWS did not list the task within ${slot.limits.reconcileMs / 1_000} seconds. This happened ${times(misses + 1)}.`,
    isRetryable: true, // it is taken for absent, see docs/decisions/0002
    remedy:
      'Wait while the slice is waiting: it is sent again. If it fails, find out why AWS does not create the task. Then retry the job with POST /export-jobs/{jobId}/retry.',
  };
  const loss = { problem, pauseMs, attempt: { outcome: 'not-created' }, by } as const;
  await recordLoss(slot, active, { ...loss, count: 'misses' }, 'in-requeue');
}

/** A task under the marker that exports something else: not ours to count, and no leave to send again. */
async function recordOther(slot: OwnedSlot, active: StartingSlice, taskId: string): Promise<void> {
  const detail = `AWS lists task ${taskId} with the name of this attempt, but it exports something else.`;
  await recordLoss(slot, active, {
    problem: toStored(new Problem('export-task-differs', detail)),
    ...{ count: 'misses', pauseMs: undefined, attempt: { outcome: 'failed' } },
    by: { action: 'DescribeExportTasks' },
  });
}

const times = (count: number) => (count === 1 ? 'once' : `${count} times in a row`);

/** What a whole listing has under a marker: the task it stands for, or the id of another. */
interface Look {
  found?: { taskId: string; awsRequestId: string | undefined };
  other?: string;
}

/** One whole listing, until the task is found or everything is older than its create. */
async function lookForTask(slot: OwnedSlot, active: StartingSlice): Promise<Look> {
  let other: string | undefined;
  for (const listing of listings) {
    let nextToken: string | undefined;
    do {
      await slot.pause(slot.callSpacing.freeInMs());
      slot.callSpacing.count();
      const query = { ...listing, limit: 50, ...(nextToken !== undefined && { nextToken }) };
      const page = await slot.target.logs.describeExportTasks(query, { isFresh: true });
      for (const task of page.exportTasks) {
        const { taskId, taskName } = task;
        if (taskId === undefined || taskName !== active.marker) continue;
        if (isSameExport(task, active)) {
          return { found: { taskId, awsRequestId: page.awsRequestId } };
        }
        other = taskId;
      }
      // By AWS's clock, which may be hours from the database's.
      const sentAt = (page.answeredAt ?? active.submittedAt + active.ageMs) - active.ageMs;
      const notBefore = sentAt - clockSkewMs;
      // Only without a filter is the order known: newest first. A task without a time proves nothing.
      const isOlder =
        listing === everyTask &&
        page.exportTasks.some(
          ({ executionInfo }) => (executionInfo?.creationTime ?? notBefore) < notBefore,
        );
      nextToken = isOlder ? undefined : page.nextToken;
    } while (nextToken !== undefined);
  }
  if (other !== undefined) reportOther(slot, active, other);
  return { ...(other !== undefined && { other }) };
}

function reportOther({ log, target }: OwnedSlot, active: StartingSlice, taskId: string): void {
  const { jobId, slice, attempt, marker } = active;
  const facts = { target: target.name, jobId, slice, attempt, marker, taskId };
  log.error({ ...facts, alert: 'marker_forged' }, 'a task has our marker, but other values');
}
