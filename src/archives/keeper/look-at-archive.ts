import { hastenListing } from '../store/looks/hasten-listing.ts';
import { holdLook } from '../store/looks/hold-look.ts';
import { findLogGroups, tooManyLogGroups } from './log-groups/find-log-groups.ts';
import type { Look } from './look.ts';
import { staleListing } from './summarise.ts';
import { isListingStale, soonMs, tendArchive } from './tend-archive.ts';

/** What the looks of a process share about listings. */
export interface Listings {
  /** The targets at which a listing goes on. */
  targets: Set<string>;
  /** Called when the look waits for AWS, and when it does no longer. */
  onWaiting: (isWaiting: boolean) => void;
}

/**
 * Looks at an archive: tends it by what is known, lists its log groups if it is time, and tends it again. Where a
 * listing goes on at its target, the next look lists: the archives of a target take turns.
 * @throws an error named StaleLook, and failures of the database
 */
export async function lookAtArchive(look: Look, { targets, onWaiting }: Listings): Promise<void> {
  const { archive, writer, timings, target, targetProblem, alerts, signal } = look;
  const { at } = await holdLook(writer, writer.database.queries);
  // After an outage of the service every list is old at first. That is no reason for a warning.
  const wasStale = archive.summary?.listingProblem === staleListing;
  const isCut = archive.summary?.listingProblem === tooManyLogGroups;
  // Until a listing finds all: otherwise the archive would be current while its target does not answer.
  const cut = isCut ? tooManyLogGroups : undefined;
  const knownProblem = cut ?? targetProblem;
  const tend = (listingProblem: string | undefined) => tendArchive(look, listingProblem);
  const { listedAt, endedAt } = archive;
  if (listedAt !== null || endedAt !== null || !target) await tend(knownProblem);
  // After `at` if the clock of the database was set back.
  const isDue = listedAt === null || listedAt > at || at - listedAt >= timings.listEveryMs;
  if (endedAt !== null || !isDue || !target) return;
  if (targets.has(target.name)) {
    if (wasStale && isListingStale(archive, timings, at)) alerts.listedLate(archive);
    await holdLook(writer, writer.database.queries, soonMs);
    return;
  }
  targets.add(target.name);
  let problem: string | undefined;
  try {
    onWaiting(true);
    problem = await findLogGroups(look, async () => {
      onWaiting(false);
      await tend(knownProblem);
      onWaiting(true);
    });
  } finally {
    targets.delete(target.name);
    onWaiting(false);
  }
  const { listEveryMs } = timings;
  await hastenListing(writer.database, archive, { listEveryMs, soonMs });
  if (!signal.aborted) await tend(look.hasListed ? problem : (cut ?? problem));
}
