import { toStored } from '#export-jobs/dispatcher/attempts/stored-problem.ts';
import { Problem } from '#problems/problem.ts';
import { byUrgency } from '../../partitions/due.ts';
import { writeAfterJobs } from '../../store/looks/hold-look.ts';
import { needsSlot, type QueuedPartition } from '../../store/partitions/read-queued.ts';
import { putPartition } from '../../store/partitions/write-partitions.ts';
import type { Survey } from '../log-groups/survey-log-groups.ts';
import { isExporting, isOnTrial, type Look } from '../look.ts';
import { planExports } from './plan-exports.ts';
import { putIntoQueue } from './put-into-queue.ts';
import { announceWithdrawn, withdrawPartitions } from './withdraw-partitions.ts';

// Exports of an archive that wait or run. Fewer: short exports leave the slot idle. More: a changed order takes
// effect later.
export const maxInQueue = 8;

/** Fills the queue of an archive with its most urgent partitions. Returns how many were put into it. */
export async function fillQueue(look: Look, survey: Survey, at: number): Promise<number> {
  const { archive, target, writer, authorizer, timings, onJobChange, wake } = look;
  // Without policies every partition would be refused. So they wait until there is a policy.
  if (!isExporting(archive) || !target || authorizer.isWithoutPolicies()) return 0;
  const { candidates, queued } = survey;
  if (isOnTrial(archive) && queued.length > 0) return 0; // until the whole trial has its answers
  const inQueue = queued.filter(({ job }) => job && needsSlot(job)).length;
  const free = Math.max(0, maxInQueue - inQueue);
  const displaceable = findDisplaceable(survey, free);
  const room = free + displaceable.length;
  const { exports, refused } = await planExports(look, target, candidates, room);
  if (exports.length + refused.length === 0) return 0;
  const displaced = displaceable.slice(0, Math.max(0, exports.length - free));
  const problem = JSON.stringify(toStored(notPermitted()));
  const retryAt = at + timings.refusedForMs;
  const withdrawn = await writeAfterJobs(
    writer,
    (queries) => withdrawPartitions(look, queries, displaced, queued),
    async (queries, withdrawal) => {
      for (const each of exports) await putIntoQueue(look, queries, each, at);
      for (const { jobId: _, ...row } of refused)
        await putPartition(queries, { ...row, jobId: null, state: 'missing', retryAt, problem });
      return withdrawal.withdrawn;
    },
  );
  announceWithdrawn(look, withdrawn);
  for (const { partition } of exports) onJobChange(partition.jobId);
  if (exports.length > 0) wake(archive.target);
  return exports.length;
}

/** Finds the waiting partitions that give their places to those at risk: the least urgent ones. */
function findDisplaceable({ candidates, displaceable }: Survey, free: number): QueuedPartition[] {
  const atRisk = candidates.filter(({ isAtRisk }) => isAtRisk).length;
  const places = Math.min(maxInQueue, atRisk) - free;
  const leastFirst = displaceable.toSorted((one, other) => byUrgency(other, one));
  return leastFirst.slice(0, Math.max(0, places)).map(({ row }) => row);
}

const notPermitted = () =>
  new Problem(
    'not-permitted',
    'The policies do not permit this export to the principal of the archive.',
  );
