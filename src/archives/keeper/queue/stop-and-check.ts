import type { Transaction } from 'kysely';

import type { Tables } from '#database/tables.ts';
import { readPrefixTemplate } from '#export-jobs/planning/prefix-template.ts';
import { Problem } from '#problems/problem.ts';
import type { Check } from '#targets/preflight/check.ts';
import { checkDestination } from '#targets/preflight/preflight.ts';
import type { KeptArchive } from '../../store/looks/claim-look.ts';
import { writeOfLook } from '../../store/looks/hold-look.ts';
import { isNewestAccepted } from '../../store/partitions/newest-creates.ts';
import type { QueuedPartition } from '../../store/partitions/read-queued.ts';
import { isOnTrial, type Look } from '../look.ts';

/**
 * Checks the destination of a stopped archive, if it is time. When no check fails, the archive exports on trial: no
 * check can tell whether the service role may create exports. It works again when AWS has accepted one of them, or when
 * all have ended without a fault that the next ones share. `queued` are the partitions in its queue.
 */
export async function checkStopped(
  look: Look,
  queued: readonly QueuedPartition[],
  at: number,
): Promise<void> {
  const { archive, target, writer, database, timings, alerts } = look;
  const { id, stopProblem } = archive;
  if (!stopProblem || !target) return;
  let changed: Pick<KeptArchive, 'stopProblem' | 'stopCheckAt'>;
  if (isOnTrial(archive)) {
    if (queued.length > 0 && !(await isNewestAccepted(database.queries, id, at))) return;
    changed = { stopProblem: null, stopCheckAt: null };
  } else {
    const inMs = (archive.stopCheckAt ?? at) - at;
    // Later than any check if the clock of the database was set back.
    const isDue = inMs <= 0 || inMs > timings.checkEveryMs;
    if (!isDue) return;
    const isGreen = await isDestinationUsable(look);
    changed = { stopProblem, stopCheckAt: isGreen ? null : at + timings.checkEveryMs };
  }
  await writeOfLook(writer, (queries) => writeStop(queries, id, changed));
  Object.assign(archive, changed);
  if (changed.stopProblem === null) alerts.worksAgain(archive);
}

/** Writes why an archive is stopped, and when its destination is checked next. */
export async function writeStop(
  queries: Transaction<Tables>,
  archiveId: string,
  { stopProblem, stopCheckAt }: Pick<KeptArchive, 'stopProblem' | 'stopCheckAt'>,
): Promise<void> {
  await queries
    .updateTable('archives')
    .set({ stopProblem: stopProblem && JSON.stringify(stopProblem), stopCheckAt })
    .where('id', '=', archiveId)
    .execute();
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
