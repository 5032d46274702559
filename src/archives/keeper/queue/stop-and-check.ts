import { readPrefixTemplate } from '#export-jobs/planning/prefix-template.ts';
import { Problem } from '#problems/problem.ts';
import type { Check } from '#targets/preflight/check.ts';
import { checkDestination } from '#targets/preflight/preflight.ts';
import { writeOfLook } from '../../store/looks/hold-look.ts';
import type { Look } from '../look.ts';

/**
 * Checks the destination of a stopped archive, if it is time. The archive works again when no check fails. Where
 * the service role may not look, the next export shows the fault again.
 */
export async function checkStopped(look: Look, at: number): Promise<void> {
  const { archive, target, writer, timings, alerts } = look;
  const { stopProblem, stopCheckAt } = archive;
  const inMs = (stopCheckAt ?? at) - at;
  // Later than any check if the clock of the database was set back.
  const isDue = inMs <= 0 || inMs > timings.checkEveryMs;
  if (!stopProblem || !target || !isDue) return;
  const isGreen = await isDestinationUsable(look);
  const changed = isGreen
    ? { stopProblem: null, stopCheckAt: null }
    : { stopProblem, stopCheckAt: at + timings.checkEveryMs };
  await writeOfLook(writer, async (queries) => {
    await queries
      .updateTable('archives')
      .set({ ...changed, stopProblem: changed.stopProblem && JSON.stringify(changed.stopProblem) })
      .where('id', '=', archive.id)
      .execute();
  });
  Object.assign(archive, changed);
  if (isGreen) alerts.worksAgain(archive);
}

async function isDestinationUsable({ archive, target }: Look): Promise<boolean> {
  if (!target) return false;
  const { definition, principal, id } = archive;
  const { destination, destinationPrefix: prefixTemplate, fromAt } = definition;
  const logGroupName = definition.logGroupNames?.[0] ?? definition.logGroupNamePrefix ?? '';
  const template = readPrefixTemplate(prefixTemplate, { target, jobId: id, timeZone: 'UTC' });
  const destinationPrefix = template.render({ logGroupName, fromAt, attempt: 1 });
  const query = { destination, destinationPrefix, logGroupNames: [logGroupName] };
  const checks = await checkDestination(target, query, principal.id).catch((error) => {
    if (error instanceof Problem) return undefined;
    throw error;
  });
  return checks !== undefined && !checks.some(isFault);
}

/** An archive needs the verification that a job can do without. */
const isFault = ({ name, verdict }: Check) =>
  verdict === 'fail' || (name === 'verification' && verdict === 'warn');
