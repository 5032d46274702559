import { attemptCalls, reconciledCreates } from '#diagnostics/exports.ts';
import { forPartitions } from '#problems/catalogue/problem-kind.ts';
import { Problem } from '#problems/problem.ts';
import type { SliceProblem } from '../../export-job.ts';
import type { StartingSlice } from '../../store/steps/read-active-slice.ts';
import type { OwnedSlot } from '../owned-slot.ts';
import { type FailedAttempt, recordFailedAttempt } from './record-failed-attempt.ts';
import { recordAndAnnounce } from './record-slice-step.ts';
import { isSameExport } from './same-export.ts';
import { toStored } from './stored-problem.ts';

// How far AWS's clock and the database's clock may drift apart while a create is reconciled. Lower: a
// listing may end before the task. Higher: a listing reads more pages.
const clockSkewMs = 15 * 60_000;

const everyTask = {};

/** The queries of one whole listing. With a filter, AWS shows a task even if its newest page lags. */
const filters = [{ statusCode: 'RUNNING' }, { statusCode: 'PENDING' }, everyTask] as const;

/**
 * Finds the outcome of a create that has none on record, because its answer or its sender was lost. A
 * task with its marker is adopted. The task counts as absent only if the create is old enough and
 * several whole listings, well apart, did not have it. A failed listing proves nothing. Returns after
 * how many milliseconds to continue.
 */
export async function reconcileStart(slot: OwnedSlot, active: StartingSlice): Promise<number> {
  const { timings, memory, elapsed, log, target, outages } = slot;
  const { marker, ageMs, jobId, slice, attempt } = active;
  if (memory.listings?.marker !== marker) {
    memory.listings = { marker, without: 0, listedAt: Number.NEGATIVE_INFINITY };
  }
  const { listings } = memory;
  // The first listings come soon: mostly only the answer was lost. Those that count come well apart.
  const pauseMs = Math.min(timings.listingIntervalMs, ageMs);
  const waitMs = listings.listedAt + pauseMs - elapsed();
  if (waitMs > 0) return waitMs;

  const isApart = elapsed() - listings.listedAt >= timings.listingIntervalMs;
  const isAnswerDue = ageMs > timings.createDeadlineMs;
  listings.listedAt = elapsed();
  const { found, other } = await attemptCalls.run(active, () => findTask(slot, active));
  if (found) {
    const { taskId, awsRequestId } = found;
    const by = { action: 'DescribeExportTasks', awsRequestId } as const;
    const change = { type: 'slice-running', slice, attempt, taskId } as const;
    const row = { slice: { misses: 0 }, attempt: { taskId, problem: null } };
    await recordAndAnnounce(slot, active, { to: 'running', ...row, change, by }, 'in-adopt');
    reconciledCreates.publish({ target: target.name, result: 'created' });
    log.info(
      { target: target.name, jobId, slice, attempt, taskId },
      'found the task of a lost create',
    );
    outages.creates.worked({ target: target.name }, 'AWS accepts creates again');
    return 0;
  }
  if (isApart && isAnswerDue) listings.without += 1;
  // The age at our first sight is by the database's clock, which may have been set forward. Most owners take over
  // after one lease.
  const seenMs = elapsed() - (memory.firstSight?.at ?? elapsed());
  const provenMs = Math.min(ageMs, timings.leaseMs + seenMs);
  if (listings.without < timings.absentListings || provenMs <= timings.reconcileMs) return 0;

  if (other !== undefined) {
    await recordMismatch(slot, active, other);
    reconciledCreates.publish({ target: target.name, result: 'unknown' });
    return 0;
  }
  await recordNotCreated(slot, active);
  reconciledCreates.publish({ target: target.name, result: 'not-created' });
  log.info({ target: target.name, jobId, slice, attempt }, 'lost create had no effect');
  return 0;
}

/**
 * Records a create that had no effect. The slice gets AWS's answer, or the lack of it, as its problem
 * and is sent again after a pause, up to the limit. If the sender died, the slice has no problem and
 * waits again at once.
 */
async function recordNotCreated(slot: OwnedSlot, active: StartingSlice): Promise<void> {
  const { slice, attempt, misses, isCancelRequested } = active;
  const by = { action: 'DescribeExportTasks' } as const; // no request id: there were several answers
  if (active.problem === null) {
    const problem = 'not-created';
    const change = { type: 'slice-waiting', slice, attempt, readyInMs: 0, problem } as const;
    const step = { to: 'waiting', attempt: { outcome: problem }, change, by } as const;
    await recordAndAnnounce(slot, active, step, 'in-requeue');
    return;
  }
  const pauseMs = isCancelRequested ? 0 : slot.timings.resendAfterMs[misses];
  const answer: SliceProblem = JSON.parse(active.problem);
  const problem = {
    ...answer,
    detail: `${answer.detail} AWS did not list the task within ${slot.timings.reconcileMs / 1_000} seconds. This happened ${times(misses + 1)}.`,
    isRetryable: true, // it counts as absent, see docs/decisions/0002
    remedy: `Do nothing while the slice is waiting: it is sent again. If it fails, find out why AWS does not create the task. Then retry the job with POST /export-jobs/{jobId}/retry. ${forPartitions}`,
  };
  const failed: FailedAttempt = {
    problem,
    count: 'misses',
    pauseMs,
    attempt: { outcome: 'not-created' },
    by,
  };
  await recordFailedAttempt(slot, active, failed, 'in-requeue');
}

/**
 * Records that a task with our marker exports something else. It does not count as ours, and the slice is not
 * sent again.
 */
async function recordMismatch(
  slot: OwnedSlot,
  active: StartingSlice,
  taskId: string,
): Promise<void> {
  const detail = `AWS lists task ${taskId} with the name of this attempt, but it exports something else.`;
  await recordFailedAttempt(slot, active, {
    problem: toStored(new Problem('export-task-differs', detail)),
    count: 'misses',
    pauseMs: undefined,
    attempt: { outcome: 'failed' },
    by: { action: 'DescribeExportTasks' },
  });
}

const times = (count: number) => (count === 1 ? 'once' : `${count} times in a row`);

/** What a whole listing has for a marker: the task of the attempt, or the id of another task. */
interface ListingResult {
  found?: { taskId: string; awsRequestId: string | undefined };
  other?: string;
}

/**
 * Lists tasks until the task of an attempt is found, or all further tasks are older than its create.
 */
async function findTask(slot: OwnedSlot, active: StartingSlice): Promise<ListingResult> {
  let other: string | undefined;
  for (const filter of filters) {
    let nextToken: string | undefined;
    do {
      await slot.pause(slot.callSpacing.freeInMs());
      slot.callSpacing.countRead();
      const query = { ...filter, limit: 50, ...(nextToken !== undefined && { nextToken }) };
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
      // AWS's order is known only without a filter: the newest first. A task without a time proves
      // nothing.
      const isOlder =
        filter === everyTask &&
        page.exportTasks.some(
          ({ executionInfo }) => (executionInfo?.creationTime ?? notBefore) < notBefore,
        );
      nextToken = isOlder ? undefined : page.nextToken;
    } while (nextToken !== undefined);
  }
  if (other !== undefined) reportMismatch(slot, active, other);
  return { ...(other !== undefined && { other }) };
}

function reportMismatch({ log, target }: OwnedSlot, active: StartingSlice, taskId: string): void {
  const { jobId, slice, attempt, marker } = active;
  const facts = { target: target.name, jobId, slice, attempt, marker, taskId };
  log.error(
    { ...facts, alert: 'marker_mismatch' },
    'found a task with our marker and other values',
  );
}
