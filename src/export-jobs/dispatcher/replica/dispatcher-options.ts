import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { Targets } from '#targets/target.ts';
import type { Log } from '#telemetry/log.ts';
import type { OutageLog } from '#telemetry/outage-log.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import type { CrashPoint } from '../owned-slot.ts';
import type { DispatcherTimings } from '../timings.ts';

/** What the dispatcher needs. Times in milliseconds. */
export interface DispatcherOptions {
  database: Database;
  targets: Pick<Targets, 'forDispatcher' | 'listDraining' | 'look' | 'onChange' | 'release'>;
  authorizer: Authorizer;
  timings: DispatcherTimings;
  log: Log;
  /** The name of this process in the leases: unique among all processes that use the database. */
  owner: string;
  /** The time of day, as epoch ms: for the log alone. */
  now: () => number;
  /** A clock that only goes forward. */
  elapsed: () => number;
  sleep: AbortableSleep;
  random: () => number;
  /** Called after each recorded change of a job. */
  onChange: (jobId: string) => void;
  /** Tests end the process here. */
  reach?: (point: CrashPoint) => Promise<void>;
  /** Called with each loop that begins, as a promise of its end. Tests count them. */
  track?: (loop: Promise<void>) => void;
}

/** What all slots of a process share. */
export interface SharedOptions extends DispatcherOptions {
  /** Failures of the database, of the finder and of all workers together. */
  databaseOutage: OutageLog;
}
