import { causeScopeOf } from '#export-jobs/dispatcher/attempts/record-refusal.ts';
import { slugOf } from '#export-jobs/dispatcher/attempts/stored-problem.ts';
import type { SliceProblem } from '#export-jobs/export-job.ts';
import { readPrefixTemplate } from '#export-jobs/planning/prefix-template.ts';
import type { SliceState } from '#export-jobs/slice.ts';
import { Problem } from '#problems/problem.ts';
import type { Check } from '#targets/preflight/check.ts';
import { checkDestination } from '#targets/preflight/preflight.ts';
import type { OpenTarget } from '#targets/target.ts';
import { writeOfLook } from '../../store/looks/hold-look.ts';
import { type Stop, writeStop } from '../../store/looks/write-stop.ts';
import type { QueuedPartition } from '../../store/partitions/read-queued.ts';
import { hasAcceptedExport } from '../../store/partitions/recent-creates.ts';
import { isExporting, isOnTrial, type Look } from '../look.ts';
import { unverifiedDetail } from './settle-jobs.ts';

/**
 * Checks the destination of a stopped archive, if it is time. It works again if the checks prove that the fault is gone.
 * If they find no fault and prove nothing, it exports on trial until AWS accepts an export: no check can tell whether the
 * service role may create exports. `queued` are the partitions in its queue.
 */
export async function checkStopped(
  look: Look,
  queued: readonly QueuedPartition[],
  at: number,
): Promise<void> {
  const { archive, writer, alerts } = look;
  const changed = await changeOf(look, queued, at);
  if (!changed) return;
  await writeOfLook(writer, (queries) => writeStop(queries, archive.id, changed));
  Object.assign(archive, changed);
  if (changed.stopProblem === null) alerts.worksAgain(archive);
}

const working: Stop = { stopProblem: null, stopCheckAt: null, trialAt: null };

async function changeOf(
  look: Look,
  queued: readonly QueuedPartition[],
  at: number,
): Promise<Stop | undefined> {
  const { archive, target, timings } = look;
  const { stopProblem, stopCheckAt } = archive;
  if (!stopProblem || !target) return undefined;
  if (isOnTrial(archive)) {
    const isOver = isExporting(archive) && (await isTrialOver(look, queued));
    return isOver ? working : undefined;
  }
  const inMs = (stopCheckAt ?? at) - at;
  // Later than any check if the clock of the database was set back.
  const isDue = inMs <= 0 || inMs > timings.checkEveryMs;
  if (!isDue) return undefined;
  const checks = await checksOf(look, target);
  const isUsable = checks !== undefined && !checks.some(isFault);
  if (isUsable && isProof(checks, stopProblem)) return working;
  const trial = { stopProblem, stopCheckAt: null, trialAt: at };
  if (isUsable && isExporting({ ...archive, ...trial })) return trial;
  return { stopProblem, stopCheckAt: at + timings.checkEveryMs, trialAt: null };
}

/** Whether checks without a fault prove that the fault is gone. */
function isProof(checks: readonly Check[], problem: SliceProblem): boolean {
  const { detail } = problem;
  const isAboutDestination = causeScopeOf({ slug: slugOf(problem), detail }) === 'job';
  return isAboutDestination && checks.every(({ verdict }) => verdict !== 'unknown');
}

/** Whether AWS has accepted an export since the trial began, or there is nothing to export. */
async function isTrialOver(
  { archive, database }: Look,
  queued: readonly QueuedPartition[],
): Promise<boolean> {
  const { id, stopProblem, trialAt, summary } = archive;
  if (trialAt === null) return false;
  const { waiting = 0, running = 0, missing = 0, atRisk = 0 } = summary?.partitions ?? {};
  if (queued.length + waiting + running + missing + atRisk === 0) return true;
  const states: SliceState[] | undefined =
    stopProblem?.detail === unverifiedDetail ? ['completed'] : undefined;
  const jobIds = queued.flatMap(({ jobId }) => jobId ?? []);
  return hasAcceptedExport(database.queries, { archiveId: id, jobIds, sinceAt: trialAt, states });
}

/** Checks the destination. Returns undefined if it could not be checked. */
async function checksOf(
  { archive }: Look,
  target: OpenTarget,
): Promise<readonly Check[] | undefined> {
  const { definition, principal, id } = archive;
  const { destination, destinationPrefix: prefixTemplate, fromAt } = definition;
  const logGroupName = definition.logGroupNames?.[0] ?? definition.logGroupNamePrefix ?? '';
  const template = readPrefixTemplate(prefixTemplate, { target, jobId: id, timeZone: 'UTC' });
  const destinationPrefix = template.render({ logGroupName, fromAt, attempt: 1 });
  const query = { destination, destinationPrefix, logGroupNames: [logGroupName] };
  return checkDestination(target, query, principal.id).catch((error) => {
    if (error instanceof Problem) return undefined;
    throw error;
  });
}

/** An archive needs the verification that a job can do without. */
const isFault = ({ name, verdict }: Check) =>
  verdict === 'fail' || (name === 'verification' && verdict === 'warn');
