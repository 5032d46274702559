import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { OpenTarget, Targets } from '#targets/target.ts';
import type { Log } from '#telemetry/log.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import type { SendHeartbeat } from '../heartbeat/heartbeat-sender.ts';
import type { KeptArchive } from '../store/looks/claim-look.ts';
import type { LookWriter } from '../store/looks/hold-look.ts';
import type { Stop } from '../store/looks/write-stop.ts';
import type { KeeperAlerts } from './keeper-alerts.ts';
import type { KeeperTimings } from './timings.ts';

/** What the keeper needs. */
export interface KeeperOptions {
  database: Database;
  targets: Pick<Targets, 'find' | 'look' | 'whyClosed'>;
  authorizer: Authorizer;
  timings: KeeperTimings;
  log: Log;
  /** The name of this process in the leases: unique among all processes that use the database. */
  owner: string;
  /** The time of day, as epoch ms: for the log alone. */
  now: () => number;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  sleep: AbortableSleep;
  newId: () => string;
  sendHeartbeat: SendHeartbeat;
  /** Called after each visible change of an archive, and of a job. */
  onChange: (archiveId: string) => void;
  onJobChange: (jobId: string) => void;
  /** Wakes the dispatcher of a target, whose queue has changed. */
  wake: (target: string) => void;
  /** Called with each loop and each look that begins, as a promise of its end. Tests count them. */
  track?: (loop: Promise<void>) => void;
}

/** A look at an archive that goes on. */
export interface Look extends KeeperOptions {
  archive: KeptArchive;
  writer: LookWriter;
  alerts: KeeperAlerts;
  signal: AbortSignal;
  /** The target, if calls and exports are possible there. */
  target: OpenTarget | undefined;
  /** Why they are not. */
  targetProblem: string | undefined;
  /** Whether it has listed the log groups. */
  hasListed: boolean;
  /** Whether it has recorded log events as lost. */
  hasLost: boolean;
  /** Whether it has changed something that the summary does not show. */
  isChanged: boolean;
}

/** Whether an archive may have exports that wait. */
export function isExporting(archive: Pick<KeptArchive, 'pausedAt' | 'endedAt'> & Stop): boolean {
  const { pausedAt, endedAt, stopProblem } = archive;
  return pausedAt === null && endedAt === null && (stopProblem === null || isOnTrial(archive));
}

/**
 * Whether a stopped archive exports again, until AWS accepts one of these exports. A replica of an older version that
 * stops it keeps `trialAt`, but writes `stopCheckAt`.
 */
export function isOnTrial({ stopProblem, stopCheckAt, trialAt }: Stop): boolean {
  return stopProblem !== null && stopCheckAt === null && trialAt !== null;
}
