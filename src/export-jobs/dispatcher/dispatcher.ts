import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import type { OpenTarget, Targets } from '#targets/target.ts';
import type { Log } from '#telemetry/log.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import { makeInstallationReader } from '../store/installation.ts';
import type { CrashPoint } from './owned-slot.ts';
import { makeWakeSignal, type WakeSignal } from './pacing/wake-signal.ts';
import type { DispatcherTimings } from './timings.ts';
import { workSlot } from './work-slot.ts';

/** What the dispatcher needs. Times in milliseconds. */
export interface DispatcherOptions {
  database: Database;
  targets: Pick<Targets, 'list' | 'forDispatcher' | 'onChange'>;
  authorizer: Authorizer;
  timings: DispatcherTimings;
  log: Log;
  /** The name of this process in the leases: unique among all processes that use the database. */
  owner: string;
  /** A clock that only goes forward. */
  elapsed: () => number;
  sleep: AbortableSleep;
  random: () => number;
  /** Called after each recorded change of a job. */
  onChange: (jobId: string) => void;
  /** Tests end the process here. */
  reach?: (point: CrashPoint) => Promise<void>;
}

/** Fills free slots from the queues and watches running tasks, for all targets at once. */
export interface Dispatcher {
  /** Wakes the worker of a target, whose queue has changed. Otherwise it notices within a second. */
  wake(target: string): void;
  /** Starts nothing more, records what is in progress, and releases the slots. */
  close(): Promise<void>;
}

/** Opens the dispatcher: one worker per target, as soon as the account of the target is checked. */
export function openDispatcher(options: DispatcherOptions): Dispatcher {
  const { targets, log, reach = async () => {} } = options;
  const stop = new AbortController();
  const slots = new Map<string, string>();
  const workers = new Map<string, { wake: () => void; ended: Promise<void> }>();
  const installation = makeInstallationReader(options.database);

  targets.onChange(startWorker);
  for (const { name } of targets.list()) startWorker(name);

  function startWorker(name: string): void {
    const target = targets.forDispatcher(name);
    if (!target || stop.signal.aborted || workers.has(name) || hasWorker(target)) return;
    const wakeSignal = makeWakeSignal();
    workers.set(name, { wake: wakeSignal.wake, ended: run(target, wakeSignal) });
  }

  // Two targets of one account and Region share one slot; two workers would fight for it.
  function hasWorker({ name, accountId, region }: OpenTarget): boolean {
    const other = slots.get(`${accountId}/${region}`);
    slots.set(`${accountId}/${region}`, other ?? name);
    if (other) {
      const facts = { target: name, other };
      log.error(facts, 'ignored a target: another one has the same account and Region');
    }
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
    log.info({ target: target.name }, 'released a slot');
  }

  return {
    wake: (target) => workers.get(target)?.wake(),
    async close() {
      stop.abort();
      for (const { wake } of workers.values()) wake();
      await Promise.all([...workers.values()].map(({ ended }) => ended));
    },
  };
}
