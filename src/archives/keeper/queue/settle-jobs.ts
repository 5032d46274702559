import type { Transaction } from 'kysely';

import type { Tables } from '#database/tables.ts';
import { slugOf, toStored } from '#export-jobs/dispatcher/attempts/stored-problem.ts';
import type { SliceProblem } from '#export-jobs/export-job.ts';
import type { ProofGaps } from '#export-jobs/store/verifications/read-verifications.ts';
import { Problem } from '#problems/problem.ts';
import { writeOfLook } from '../../store/looks/hold-look.ts';
import { writeStop } from '../../store/looks/write-stop.ts';
import {
  hasEndedJob,
  type PartitionJob,
  type QueuedPartition,
} from '../../store/partitions/read-queued.ts';
import { readDoubt, readWeakProof } from '../../store/partitions/read-weak-proof.ts';
import { isRefusedInRow } from '../../store/partitions/recent-creates.ts';
import { changePartition, deletePartition } from '../../store/partitions/write-partitions.ts';
import { isOnTrial, type Look } from '../look.ts';
import type { KeeperTimings } from '../timings.ts';
import { reachOf, unverifiedDetail } from './refusal.ts';

/**
 * Records what became of exports that have ended without coverage: their partitions are missing and tried again
 * later, until their last failure. A fault that other log groups share stops the archive instead, and is no failure of
 * the partition. It stops an archive on trial when AWS has refused all exports of the trial. Returns the partitions
 * that stay in the queue.
 */
export async function settleJobs(
  look: Look,
  queued: readonly QueuedPartition[],
  at: number,
): Promise<QueuedPartition[]> {
  const { archive, writer, timings, alerts } = look;
  const isEnded = ({ job }: QueuedPartition) => !job || hasEndedJob(job);
  const ended = queued.filter(isEnded);
  if (ended.length === 0) return [...queued];
  const left = queued.filter((row) => !isEnded(row));
  const { stop, ofLast } = await writeOfLook(writer, async (queries) => {
    const ofLast = new Set<string>();
    let fault: SliceProblem | undefined;
    for (const row of ended) {
      const problem = row.job && (await problemOf(queries, row.job));
      const reach = problem && (await sharedReachOf(queries, look, row, problem));
      if (!problem) await deletePartition(queries, row);
      else if (reach === 'archive') {
        await deletePartition(queries, row);
        fault = problem;
      } else if (reach === 'logGroups') {
        // It is kept, so that the next trial takes other log groups.
        const retryAt = at + timings.checkEveryMs;
        const kept = { state: 'missing', retryAt, problem: JSON.stringify(problem) } as const;
        await changePartition(queries, row, kept);
        if (left.length === 0 || !isOnTrial(archive)) fault ??= problem;
      } else {
        const pauseMs = await pauseOf(queries, row, timings);
        if (pauseMs === undefined) ofLast.add(row.logGroupName);
        await changePartition(queries, row, {
          state: 'missing',
          failures: row.failures + 1,
          retryAt: pauseMs === undefined ? null : at + pauseMs,
          problem: JSON.stringify(problem),
        });
      }
    }
    const isWorking = archive.stopProblem === null || isOnTrial(archive);
    if (!fault || !isWorking) return { ofLast };
    const stop = { stopProblem: fault, stopCheckAt: at + timings.checkEveryMs, trialAt: null };
    await writeStop(queries, archive.id, stop);
    return { ofLast, stop };
  });
  if (ofLast.size > 0) alerts.gaveUp(archive, ofLast);
  if (stop) {
    const isNew = archive.stopProblem?.type !== stop.stopProblem.type;
    Object.assign(archive, stop);
    if (isNew) alerts.stopped(archive, slugOf(stop.stopProblem));
  }
  return left;
}

/** How long a failed partition is not tried; undefined if not any more. */
async function pauseOf(
  queries: Transaction<Tables>,
  { jobId, fromAt, failures }: QueuedPartition,
  { retryAfterMs }: KeeperTimings,
): Promise<number | undefined> {
  const doubt = jobId === null ? undefined : await readDoubt(queries, jobId);
  if (!doubt) return retryAfterMs[failures];
  // A repeat proves nothing until an earlier partition has objects: its coverage starts the repeat.
  return fromAt >= doubt.doubtfulUntilAt ? 0 : undefined;
}

/** Why a job that has ended covers nothing. */
async function problemOf(
  queries: Transaction<Tables>,
  { id, states, isCancelRequested, problem }: PartitionJob,
): Promise<SliceProblem> {
  if (states.has('failed') && problem) return problem;
  if (states.has('cancelled') || isCancelRequested) return toStored(cancelled());
  const { isSkipped, isUnproven, isDoubtful, ...gaps } = await readWeakProof(queries, id);
  if (isSkipped) return toStored(unverified());
  if (isDoubtful) return toStored(doubtful());
  return toStored(isUnproven ? unproven(gaps) : unrecorded());
}

const repeatRemedy =
  'Do nothing if the partition has `retryAt`: the archive exports it again then. Otherwise, request a backfill with `"reprocess": "failed"`.';

const cancelled = () =>
  new Problem('export-job-cancelled', 'The export job of this partition was cancelled.', {
    remedy: repeatRemedy,
  });

/** During an upgrade, a replica of an older version verifies exports, and knows no archives. */
const unrecorded = () =>
  new Problem(
    'internal-error',
    'The export was verified, but not recorded in the coverage: by an older version of this service, most likely.',
    { remedy: repeatRemedy },
  );

const unverified = () =>
  new Problem('service-role-not-permitted', unverifiedDetail, {
    remedy: 'Ask the operator of the service to allow s3:ListBucket for the service role.',
  });

/** It stops no archive: exports with objects are proved all the same. */
function unproven({ deniedActions, isSearchCut }: ProofGaps) {
  const reason = isSearchCut
    ? 'The search for them ended before its last page.'
    : 'The service could not search for them.';
  const allow = `Ask the operator of the service to allow ${deniedActions.join(' and ')} for the service role.`;
  const count = 'Change `verification` of the archive to `count`: a count has no limit of pages.';
  const first = deniedActions.length > 0 ? [allow] : isSearchCut ? [count] : [];
  return new Problem(
    'export-incomplete',
    `The export has no objects, and nothing proves that its time range has no log events. ${reason}`,
    { remedy: [...first, repeatRemedy, 'Or waive the partition.'].join(' ') },
  );
}

const doubtful = () =>
  new Problem(
    'export-incomplete',
    'The export has no objects. Its log group had a shorter retention before, so its log events can have expired.',
    {
      remedy:
        'Waive the partition, or wait: the archive exports it again when an export of an earlier partition has objects.',
    },
  );

/** Whether all exports of the archive would fail for the same cause, or those of several log groups. */
async function sharedReachOf(
  queries: Transaction<Tables>,
  { archive, database }: Look,
  { logGroupName }: QueuedPartition,
  problem: SliceProblem,
): Promise<'archive' | 'logGroups' | undefined> {
  const reach = reachOf(problem);
  if (reach !== 'logGroup') return reach === 'archive' ? reach : undefined;
  if ((archive.summary?.logGroups ?? 1) <= 1) return 'archive';
  const isShared =
    archive.stopProblem !== null ||
    (await isRefusedInRow(queries, database, { archiveId: archive.id, logGroupName }, problem));
  return isShared ? 'logGroups' : undefined;
}
