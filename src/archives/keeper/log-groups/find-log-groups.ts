import { inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import { isSelected } from '../../partitions/selection.ts';
import { recordListed, recordListingEnd } from '../../store/log-groups/record-listing.ts';
import { holdLook, writeOfLook } from '../../store/looks/hold-look.ts';
import type { Look } from '../look.ts';
import { listSelected } from './list-log-groups.ts';

/** Why a listing ended early. It stays so until the next one. */
export const tooManyLogGroups = `The archive selects more than ${inDigits(statedLimits.logGroupsPerArchive)} log groups. The others are not exported.`;

/**
 * Lists the log groups of an archive and records what has changed: new ones, gone ones, replaced ones, and their
 * retention. `meanwhile` is called when something is due while the listing goes on. Returns why the listing is
 * not complete; `undefined` if it is.
 * @throws an error named StaleLook, and failures of the database
 */
export async function findLogGroups(
  look: Look,
  meanwhile: () => Promise<void>,
): Promise<string | undefined> {
  const { archive, writer, target, targetProblem, alerts, sleep, signal } = look;
  const { id: archiveId, definition } = archive;
  if (!target) return targetProblem;
  const { queries } = writer.database;
  const { at: beganAt } = await holdLook(writer, queries);
  const listing = { archiveId, beganAt, partitionBy: definition.partitionBy };
  let isComplete = false;
  let endedAt = beganAt;
  let logGroupCount = 0;
  try {
    for await (const page of listSelected(target.logs, definition, { sleep, signal })) {
      isComplete = page.isLast;
      logGroupCount += page.logGroups.length;
      await writeOfLook(writer, (on) => recordListed(on, listing, page.logGroups));
      const { at, lookDueAt } = await holdLook(writer, queries);
      endedAt = at;
      if (lookDueAt <= at && !isComplete) await meanwhile();
    }
  } catch (error) {
    if (!(error instanceof Problem) || error.slug === 'database-unavailable') throw error;
    alerts.notListed(archive, error);
    return error.detail;
  }
  const { accountId, region } = target;
  const isMissed = (name: string) => isComplete && isSelected(definition, name);
  await writeOfLook(writer, (on) =>
    recordListingEnd(on, listing, { at: endedAt, accountId, region, logGroupCount }, isMissed),
  );
  archive.listedAt = beganAt;
  look.hasListed = true;
  if (isComplete) alerts.listed(archive);
  else alerts.listedInPart(archive);
  return isComplete ? undefined : tooManyLogGroups;
}
