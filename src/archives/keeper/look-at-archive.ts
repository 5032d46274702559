import { holdLook } from '../store/looks/hold-look.ts';
import { findLogGroups } from './log-groups/find-log-groups.ts';
import type { Look } from './look.ts';
import { tendArchive } from './tend-archive.ts';

/** What the looks of a process share about listings. */
export interface Listings {
  /** The targets at which a listing goes on. */
  targets: Set<string>;
  /** Called when the look waits for AWS, and when it does no longer. */
  onWaiting: (isWaiting: boolean) => void;
}

/**
 * Looks at an archive: tends it by what is known, lists its log groups if it is time, and tends it again. Where a
 * listing goes on at its target, the next look lists.
 * @throws an error named StaleLook, and failures of the database
 */
export async function lookAtArchive(look: Look, { targets, onWaiting }: Listings): Promise<void> {
  const { archive, writer, timings, target, targetProblem, signal } = look;
  const { at } = await holdLook(writer, writer.database.queries);
  const knownProblem = targetProblem ?? archive.summary?.listingProblem;
  const tend = (listingProblem: string | undefined) => tendArchive(look, listingProblem);
  const { listedAt, endedAt } = archive;
  if (listedAt !== null || endedAt !== null || !target) await tend(knownProblem);
  const isDue = listedAt === null || at - listedAt >= timings.listEveryMs;
  if (endedAt !== null || !isDue || !target || targets.has(target.name)) return;
  targets.add(target.name);
  let problem: string | undefined;
  try {
    onWaiting(true);
    problem = await findLogGroups(look, async () => {
      onWaiting(false);
      await tend(archive.summary?.listingProblem);
      onWaiting(true);
    });
  } finally {
    targets.delete(target.name);
    onWaiting(false);
  }
  if (!signal.aborted) await tend(problem);
}
