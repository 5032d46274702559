import { dayMs } from '#time/durations.ts';
import type { ArchiveSummary } from '../archive.ts';
import { stateOf } from '../partitions/archive-state.ts';
import { indexNames, makeWantedOf } from '../partitions/wanted.ts';
import type { KeptArchive } from '../store/looks/claim-look.ts';
import { recordLook } from '../store/looks/end-look.ts';
import { holdLook, writeOfLook } from '../store/looks/hold-look.ts';
import { readSlotTime } from '../store/looks/read-facts.ts';
import { endBackfills, readBackfills } from '../store/partitions/read-backfills.ts';
import { type QueuedPartition, readQueued } from '../store/partitions/read-queued.ts';
import type { AssessmentFacts } from './log-groups/assess-log-group.ts';
import { makeOpenBackfills } from './log-groups/open-backfills.ts';
import { type Survey, surveyLogGroups } from './log-groups/survey-log-groups.ts';
import type { Look } from './look.ts';
import { fillQueue, maxInQueue } from './queue/fill-queue.ts';
import { permitOf, raisedPriority } from './queue/plan-exports.ts';
import { settleJobs } from './queue/settle-jobs.ts';
import { checkStopped, endEmptyTrial } from './queue/stop-and-check.ts';
import { type ArchiveEventType, recordArchiveEvent } from './record-archive-event.ts';
import { summarise } from './summarise.ts';
import type { KeeperTimings } from './timings.ts';

/**
 * Tends an archive by what is recorded of its log groups: settles exports that have ended, records what is lost,
 * fills the queue, and records what it found. `listingProblem`: why the list of log groups is not complete.
 */
export async function tendArchive(look: Look, listingProblem: string | undefined): Promise<void> {
  const { archive, writer, database, timings } = look;
  const { at } = await holdLook(writer, database.queries, timings.lookEveryMs);
  const inQueue = await readQueued(database.queries, archive.id);
  // First: an export that AWS has accepted meanwhile decides what the refusals of others mean.
  await checkStopped(look, inQueue, at);
  const queued = await settleJobs(look, inQueue, at);
  const survey = await surveyLogGroups(look, queued, await factsOf(look, at));
  await endEmptyTrial(look, survey);
  const added = await fillQueue(look, survey, at);
  const isQueueEmpty = survey.queued.length + added === 0;
  await endTending(look, { at, listingProblem, survey, isQueueEmpty });
}

async function factsOf(look: Look, now: number): Promise<AssessmentFacts> {
  const { archive, database, target } = look;
  const mayRaise = (row: QueuedPartition) => {
    if (!target || row.jobId === null) return false;
    const permit = permitOf(look, target, { ...row, jobId: row.jobId }, raised);
    return permit?.priority === raisedPriority;
  };
  const backfills = await readBackfills(database.queries, archive.id);
  const naming = indexNames(backfills);
  return {
    archive,
    wantedOf: makeWantedOf(archive.definition, backfills, naming),
    openBackfills: makeOpenBackfills(backfills, naming),
    isBackfilled: backfills.some(({ endedAt }) => endedAt === null),
    now,
    raisedPriority,
    mayRaise,
    limit: maxInQueue,
  };
}

/** Whether the known log groups are too old to rely on. */
export function isListingStale(
  { listedAt }: Pick<KeptArchive, 'listedAt'>,
  { listEveryMs }: KeeperTimings,
  now: number,
): boolean {
  return listedAt !== null && now - listedAt >= 2 * listEveryMs;
}

const raised = { attempt: 1, isAtRisk: true };

/** What a look found, at its end. */
interface Found {
  at: number;
  listingProblem: string | undefined;
  survey: Survey;
  isQueueEmpty: boolean;
}

/** Records what a look found, and sends the heartbeat if it is time. */
async function endTending(look: Look, found: Found): Promise<void> {
  const { archive, writer, database, alerts, onChange } = look;
  const { queries } = database;
  const { id: archiveId, definition, endedAt } = archive;
  const { at, listingProblem, survey, isQueueEmpty } = found;
  const known = archive.summary;
  const isNew = known === null || look.hasListed;
  const summary = summarise(archive, survey, {
    now: at,
    listingProblem,
    isListingStale: endedAt === null && isListingStale(archive, look.timings, at),
    slotShare: isNew
      ? (await readSlotTime(queries, archiveId, at - dayMs)) / dayMs
      : known.slotShare,
  });
  const isDone = endedAt !== null && isQueueEmpty;
  const isBeating = isHeartbeatDue(look, summary, at);
  const heartbeatAt = isBeating ? at : archive.heartbeatAt;
  const isChanged = look.isChanged || JSON.stringify(summary) !== JSON.stringify(known);
  const nextAt = isDone ? undefined : nextLookAt(look, at, listingProblem);
  const version = await writeOfLook(writer, async (transaction) => {
    await endBackfills(transaction, archive, survey.openBackfills, at);
    const end = { archiveId, at, summary, isChanged, nextAt, heartbeatAt };
    const version = await recordLook(transaction, end);
    for (const type of eventsOf(look, known, summary)) {
      await recordArchiveEvent(look, transaction, { type, version, summary });
    }
    return version;
  });
  Object.assign(archive, { summary, heartbeatAt, version });
  Object.assign(writer, { version });
  Object.assign(look, { isChanged: false, hasLost: false });
  if (isChanged) onChange(archiveId);
  if (endedAt === null) alerts.atRisk(archive, survey.tally.atRiskOf, summary.nextExpiryAt);
  const { heartbeatUrl } = definition;
  if (!isBeating || heartbeatUrl === null) return;
  // Not awaited: a receiver that does not answer delays no look.
  void look.sendHeartbeat(heartbeatUrl).then((result) => alerts.heartbeat(archive, result));
}

/**
 * The events that a look finds. They follow from the last summary, so a look that was killed after it has recorded
 * losses leaves them to the next one.
 */
function eventsOf({ archive, hasLost }: Look, known: ArchiveSummary | null, found: ArchiveSummary) {
  const { atRisk = 0, lost = 0 } = known?.partitions ?? {};
  const wasStopped = known?.isStopped ?? false;
  const isStopped = found.isStopped ?? false;
  const isOpen = archive.endedAt === null;
  const isLost = hasLost || found.partitions.lost > lost;
  const isAtRisk = found.partitions.atRisk > 0;
  const isWell = !isStopped && !isAtRisk && !isLost;
  const events: [type: ArchiveEventType, happened: boolean][] = [
    ['archive.at_risk', isOpen && atRisk === 0 && isAtRisk],
    ['archive.lost', isLost],
    ['archive.stopped', isOpen && !wasStopped && isStopped],
    ['archive.recovered', isOpen && (wasStopped || atRisk > 0) && isWell],
  ];
  return events.flatMap(([type, happened]) => (happened ? [type] : []));
}

function isHeartbeatDue({ archive, timings }: Look, summary: ArchiveSummary, at: number): boolean {
  if (archive.definition.heartbeatUrl === null || archive.listedAt === null) return false;
  if (stateOf(archive, summary) !== 'current') return false;
  const agoMs = at - (archive.heartbeatAt ?? -Infinity);
  return agoMs < 0 || agoMs >= timings.heartbeatEveryMs; // negative if the clock was set back
}

// Another archive of the target lists its log groups now, or the target is being checked. Shorter: it is asked for in
// vain. Longer: the listing waits for longer than it must, and after a start the slot is idle.
export const soonMs = 10_000;

/** When to look next: at the latest when the next listing is due. One that failed is repeated later. */
function nextLookAt(
  { archive, targets, timings }: Look,
  at: number,
  listingProblem: string | undefined,
): number {
  const latestAt = at + timings.lookEveryMs;
  if (targets.look(archive.target)?.state === 'unchecked') return Math.min(latestAt, at + soonMs);
  if (listingProblem !== undefined) return latestAt;
  const listAt = archive.listedAt === null ? at : archive.listedAt + timings.listEveryMs;
  return Math.min(latestAt, Math.max(at + soonMs, listAt));
}
