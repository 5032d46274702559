import { readPrefixTemplate } from '#export-jobs/planning/prefix-template.ts';
import { Problem } from '#problems/problem.ts';
import type { Check } from '#targets/preflight/check.ts';
import { checkDestination } from '#targets/preflight/preflight.ts';
import type { OpenTarget } from '#targets/target.ts';
import { writeOfLook } from '../../store/looks/hold-look.ts';
import { type Stop, writeStop } from '../../store/looks/write-stop.ts';
import type { QueuedPartition } from '../../store/partitions/read-queued.ts';
import { hasAcceptedExport } from '../../store/partitions/recent-creates.ts';
import type { Survey } from '../log-groups/survey-log-groups.ts';
import { isExporting, isOnTrial, type Look } from '../look.ts';
import { unverifiedDetail } from './refusal.ts';

/**
 * Checks the destination of a stopped archive, if it is time. If the checks find no fault, the archive exports on trial:
 *
 * - A trial is at most one export of each log group, when no other one is in the queue (`fillQueue`). Those that AWS has
 *   not refused go first, then those that it refused longest ago (`surveyLogGroups`). So trials come to each log group.
 * - An export that AWS accepts ends the stop. No check is such a proof: none finds all that AWS asks for.
 * - If AWS refuses all exports of the trial, or one for a cause of the whole archive, the archive waits for the next
 *   check. A refusal in a trial is no failure of the partition (`settleJobs`).
 *
 * `queued` are the partitions in its queue, also those whose jobs have ended.
 */
export async function checkStopped(
  look: Look,
  queued: readonly QueuedPartition[],
  at: number,
): Promise<void> {
  const { archive, target } = look;
  if (!archive.stopProblem || !target) return;
  if (isOnTrial(archive)) {
    if (isExporting(archive) && (await isAccepted(look, queued))) await writeAndTell(look, working);
    return;
  }
  const stop = await checkedStopOf(look, target, at);
  if (stop) await writeAndTell(look, stop);
}

/** Ends the stop of an archive on trial that has nothing to export, now or later on its own. */
export async function endEmptyTrial(
  look: Look,
  { candidates, queued, isRetrying }: Survey,
): Promise<void> {
  const { archive, target } = look;
  if (!target || !isOnTrial(archive) || !isExporting(archive)) return;
  if (candidates.length + queued.length === 0 && !isRetrying) await writeAndTell(look, working);
}

const working: Stop = { stopProblem: null, stopCheckAt: null, trialAt: null };

async function writeAndTell({ archive, writer, alerts }: Look, stop: Stop): Promise<void> {
  await writeOfLook(writer, (queries) => writeStop(queries, archive.id, stop));
  Object.assign(archive, stop);
  if (stop.stopProblem === null) alerts.worksAgain(archive);
}

/** What follows from a check of the destination; undefined if it is not time for one. */
async function checkedStopOf(
  look: Look,
  target: OpenTarget,
  at: number,
): Promise<Stop | undefined> {
  const { archive, timings } = look;
  const { stopProblem, stopCheckAt } = archive;
  const inMs = (stopCheckAt ?? at) - at;
  // Later than any check if the clock of the database was set back.
  const isDue = inMs <= 0 || inMs > timings.checkEveryMs;
  if (!isDue) return undefined;
  const checks = await checksOf(look, target);
  const trial = { stopProblem, stopCheckAt: null, trialAt: at };
  const mayTry = isExporting({ ...archive, ...trial });
  const isFault = archive.summary && archive.summary.logGroups > 1 ? isFaultOfAll : isFaultOfOne;
  if (mayTry && checks !== undefined && !checks.some(isFault)) return trial;
  return { stopProblem, stopCheckAt: at + timings.checkEveryMs, trialAt: null };
}

/** Whether AWS has accepted an export since the trial began. If exports were not verified, whether one is. */
function isAccepted(
  { archive, database }: Look,
  queued: readonly QueuedPartition[],
): Promise<boolean> {
  const { id, stopProblem, trialAt } = archive;
  return hasAcceptedExport(database.queries, {
    archiveId: id,
    jobIds: queued.flatMap(({ jobId }) => jobId ?? []),
    sinceAt: trialAt ?? Infinity,
    isVerified: stopProblem?.detail === unverifiedDetail,
  });
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

/** Whether no log group can be exported. An archive needs the verification that a job can do without. */
const isFaultOfOne = ({ name, verdict }: Check) =>
  verdict === 'fail' || (name === 'verification' && verdict === 'warn');

/** The same for several log groups: checks of permissions ask about one of them, and AWS may accept the others. */
const isFaultOfAll = (check: Check) =>
  check.name !== 'bucket-policy' && check.name !== 'caller-permission' && isFaultOfOne(check);
