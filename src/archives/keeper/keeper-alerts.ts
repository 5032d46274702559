import { setAsNewest } from '#caching/bounded-map.ts';
import type { Problem } from '#problems/problem.ts';
import type { Log } from '#telemetry/log.ts';
import { makeOutageLog, type OutageClocks, type OutageLog } from '#telemetry/outage-log.ts';
import type { HeartbeatResult } from '../heartbeat/heartbeat-sender.ts';
import type { KeptArchive } from '../store/looks/claim-look.ts';

/** The log lines about archives. */
export interface KeeperAlerts {
  /** Notes that the log groups of an archive could not be listed. */
  notListed(archive: KeptArchive, problem: Problem): void;
  /** Notes that the list of log groups is old, because other archives are listed. */
  listedLate(archive: KeptArchive): void;
  /** Notes that an archive selects more log groups than it can have. */
  listedInPart(archive: KeptArchive): void;
  listed(archive: KeptArchive): void;
  /** Notes the log groups with partitions at risk. Each is logged once until it no longer is. */
  atRisk(archive: KeptArchive, logGroupNames: ReadonlySet<string>, expiryAt: number | null): void;
  /** Notes partitions that were lost, by log group. */
  lost(archive: KeptArchive, cause: string, logGroupNames: ReadonlySet<string>): void;
  /** Notes partitions that are not tried again after their last failure, by log group. */
  gaveUp(archive: KeptArchive, logGroupNames: ReadonlySet<string>): void;
  stopped(archive: KeptArchive, problem: string): void;
  worksAgain(archive: KeptArchive): void;
  /** Notes what became of a heartbeat. */
  heartbeat(archive: KeptArchive, result: HeartbeatResult): void;
}

// Archives of which something is remembered. Fewer: lines are repeated. More: they fill the memory.
const maxArchives = 1_000;
// How many names a line of the log has. Fewer: they are hard to find. More: the line is too long.
const maxNames = 10;

/** Makes these log lines. */
export function makeKeeperAlerts(options: OutageClocks & { log: Log }): KeeperAlerts {
  const { log } = options;
  const listings = new Map<string, OutageLog>();
  const heartbeats = new Map<string, OutageLog>();
  const risky = new Map<string, ReadonlySet<string>>();
  const factsOf = ({ id: archiveId, name, target }: KeptArchive) => ({ archiveId, name, target });
  const namesOf = (all: Iterable<string>) => {
    const names = [...all];
    return { logGroups: names.length, logGroupNames: names.slice(0, maxNames) };
  };

  function listingOutage({ id }: KeptArchive): OutageLog {
    const outage = listings.get(id) ?? makeOutageLog(options);
    setAsNewest(listings, id, outage, maxArchives);
    return outage;
  }

  return {
    notListed(archive, { slug, cause }) {
      const facts = { ...factsOf(archive), problem: slug, err: cause };
      listingOutage(archive).failed(facts, 'failed to list the log groups of an archive, retrying');
    },
    listedInPart(archive) {
      listingOutage(archive).failed(factsOf(archive), 'found too many log groups of an archive');
    },
    listedLate(archive) {
      if (listings.has(archive.id)) return; // its listings fail, or this is known
      const listedAt = archive.listedAt === null ? undefined : new Date(archive.listedAt);
      const facts = { ...factsOf(archive), listedAt: listedAt?.toISOString() };
      listingOutage(archive).failed(facts, 'the log groups of an archive were not listed for long');
    },
    listed(archive) {
      listings.get(archive.id)?.worked(factsOf(archive), 'log groups of an archive listed again');
      listings.delete(archive.id);
    },
    atRisk(archive, logGroupNames, expiryAt) {
      const known = risky.get(archive.id);
      const added = [...logGroupNames].filter((each) => !known?.has(each));
      if (logGroupNames.size === 0) risky.delete(archive.id);
      else setAsNewest(risky, archive.id, logGroupNames, maxArchives);
      if (added.length === 0) return;
      const nextExpiryAt = expiryAt === null ? undefined : new Date(expiryAt).toISOString();
      const facts = { ...factsOf(archive), ...namesOf(added), nextExpiryAt };
      log.warn(facts, 'partitions of an archive came near their expiry');
    },
    lost(archive, cause, logGroupNames) {
      const facts = { ...factsOf(archive), cause, ...namesOf(logGroupNames) };
      log.error(facts, 'log events of an archive were lost before their export');
    },
    gaveUp(archive, logGroupNames) {
      const facts = { ...factsOf(archive), ...namesOf(logGroupNames) };
      log.warn(facts, 'exports of an archive failed and are not tried again');
    },
    stopped(archive, problem) {
      const facts = { ...factsOf(archive), problem, destination: archive.definition.destination };
      log.warn(facts, 'stopped the exports of an archive, its destination is checked again');
    },
    worksAgain(archive) {
      log.info(factsOf(archive), 'exports of an archive start again');
    },
    heartbeat(archive, { outcome, origin, reason }) {
      const facts = { ...factsOf(archive), origin };
      const outage = heartbeats.get(archive.id) ?? makeOutageLog(options);
      if (outcome === 'delivered') {
        outage.worked(facts, 'heartbeats of an archive arrive again');
        heartbeats.delete(archive.id);
        return;
      }
      setAsNewest(heartbeats, archive.id, outage, maxArchives);
      outage.failed({ ...facts, reason }, 'failed to send the heartbeat of an archive');
    },
  };
}
