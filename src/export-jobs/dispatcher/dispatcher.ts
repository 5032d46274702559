import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { OpenTarget, Targets } from '#targets/target.ts';
import type { Log } from '#telemetry/log.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import { makeInstallationReader } from '../store/installation.ts';
import type { DispatcherLimits } from './limits.ts';
import type { CrashPoint } from './slot.ts';
import { makeWakeSignal, type WakeSignal } from './wake-signal.ts';
import { workSlot } from './work-slot.ts';

/** What the dispatcher needs of the world. Times in milliseconds. */
export interface DispatcherOptions {
  database: Database;
  targets: Pick<Targets, 'forEachChecked'>;
  authorizer: Authorizer;
  limits: DispatcherLimits;
  log: Log;
  /** The name of this process in the leases: unique among all that use the database. */
  owner: string;
  /** A clock that only goes forward. */
  elapsed: () => number;
  sleep: AbortableSleep;
  random: () => number;
  /** Told after each change of a job that is written. */
  onChange: (jobId: string) => void;
  /** For tests that end the process at a point of the protocol. */
  reach?: (point: CrashPoint) => Promise<void>;
}

/** Fills free slots from the waiting slices and watches what runs, for every target at once. */
export interface Dispatcher {
  /** Says that something in the queue of a target has changed: no need to wait for the next look. */
  wake(target: string): void;
  /** Starts nothing more, writes down what is under way, and gives the slots back. */
  close(): Promise<void>;
}

/** Opens the dispatcher: one loop per target, as soon as its account is checked. */
export function openDispatcher(options: DispatcherOptions): Dispatcher {
  const { targets, log, reach = async () => {} } = options;
  const stop = new AbortController();
  const slots = new Map<string, string>();
  const loops = new Map<string, { wake: () => void; ended: Promise<void> }>();
  const installation = makeInstallationReader(options.database);

  targets.forEachChecked((target) => {
    if (stop.signal.aborted || isOneSlotWith(target)) return;
    const wakeSignal = makeWakeSignal();
    loops.set(target.name, { wake: wakeSignal.wake, ended: run(target, wakeSignal) });
  });

  // Two names for one account and Region are one slot; two loops would fight for it.
  function isOneSlotWith({ name, accountId, region }: OpenTarget): boolean {
    const other = slots.get(`${accountId}/${region}`);
    slots.set(`${accountId}/${region}`, other ?? name);
    if (other) log.error({ target: name, other }, 'two targets are one account and Region');
    return other !== undefined;
  }

  async function run(target: OpenTarget, wakeSignal: WakeSignal): Promise<void> {
    await workSlot({
      ...options,
      target,
      reach,
      wakeSignal,
      stop: stop.signal,
      installation,
    });
    log.info({ target: target.name }, 'the slot is given back');
  }

  return {
    wake: (target) => loops.get(target)?.wake(),
    async close() {
      stop.abort();
      for (const { wake } of loops.values()) wake();
      await Promise.all([...loops.values()].map(({ ended }) => ended));
    },
  };
}
