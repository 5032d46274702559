import { type SlotOccupancy, slotOccupancies } from '#diagnostics/slots.ts';
import { Problem } from '#problems/problem.ts';
import { makeWakeSignal } from '#time/wake-signal.ts';
import { notePossibleOrphan } from '../../store/orphaned-tasks.ts';
import type { SlotWork } from '../../store/reads/read-work.ts';
import { shortenWaits } from '../../store/steps/clock-set-back.ts';
import { holdLease, type Lease, leaseLost, leaseLostError } from '../../store/steps/hold-lease.ts';
import { isStaleState } from '../../store/steps/stale-state.ts';
import type { OwnedSlot } from '../owned-slot.ts';
import { jitteredBackOffMs } from '../pacing/slot-back-off.ts';
import { releaseSlot, type SlotWorkerOptions, takeSlot } from './take-slot.ts';
import { readActive, takeStep } from './take-step.ts';

/** The worker of one slot. It ends when there is nothing left to do, or when it cannot go on. */
export interface SlotWorker {
  /** The name of its target. */
  name: string;
  ended: Promise<void>;
  wake(): void;
  /** The lease that it holds, and since when. */
  held(): { lease: Lease; since: number } | undefined;
  /** Hears what the finder has found since an instant. */
  found(work: SlotWork, beganAt: number): void;
  /** Hears that its target had no slice that is ready. */
  foundNone(beganAt: number): void;
  /** Gives the slot to another replica at the next safe point: not while a create may be on its way. */
  handOver(): void;
  /** Hears that its lease was renewed at an instant, or is lost. */
  renewed(at: number): void;
  lost(): void;
  /** Hears that the database's clock was set back by some ms. */
  clockSetBack(ms: number): void;
  /** Hears that its target has changed. */
  targetChanged(): void;
}

// After this many failures in a row another replica gets the slot: it may reach AWS where we do not.
const failuresUntilRelease = 2;
// The back-off for the database grows no further than for this many failures. It is our own, so
// frequent attempts do no harm, and meanwhile the slot stands still.
const maxDatabaseFailures = 2;

/**
 * Starts the worker of a slot: it takes the lease, then takes one step after the other. The whole state
 * is in the database. So this process may end at any point, and any replica can continue from there.
 */
export function startSlotWorker(options: SlotWorkerOptions): SlotWorker {
  const { database, timings, recall, elapsed, random, sleep, log, stop } = options;
  const { memory, outages } = recall;
  const { name } = options.target;
  const wakeSignal = makeWakeSignal();
  let target = options.target;
  let slot: OwnedSlot | undefined;
  let takenAt = 0;
  let renewedAt = 0;
  let staleStates = 0;
  let setBackMs = 0;
  let isOver = false;
  let isLost = false;
  let isHandingOver = false;
  let hasTargetChanged = false;
  let holder: SlotOccupancy['holder'];
  let foreignSince: number | undefined;

  async function run(): Promise<void> {
    while (!isOver) {
      const waitMs = await workOnce().catch(recover);
      if (waitMs > 0 && !isOver) await wakeSignal.sleepUnlessWoken((until) => sleep(waitMs, until));
    }
    noteHolder(undefined);
  }

  function noteHolder(found: SlotOccupancy['holder']): void {
    const since = found === 'others' ? memory.foreign?.beganAt : undefined;
    if (found === holder && since === foreignSince) return;
    holder = found;
    foreignSince = since;
    const foreignMs = since === undefined ? undefined : elapsed() - since;
    slotOccupancies.publish({ target: name, holder, foreignMs });
  }

  async function workOnce(): Promise<number> {
    if (stop.aborted) return end({ isStandingBack: true });
    if (!slot) {
      const taken = await options.inTurn(() => takeSlot(options, target));
      if (!taken) return end();
      slot = { ...taken.slot, pause };
      setBackMs = taken.setBackMs;
      takenAt = taken.at;
      renewedAt = taken.at;
    }
    if (hasTargetChanged) {
      hasTargetChanged = false;
      const found = options.findTarget();
      if (!found) return end({ isStandingBack: true });
      // The next worker takes the lease for the new place, unless a task may run at the old one.
      if (found.accountId !== target.accountId || found.region !== target.region) return end();
      target = found;
      slot = { ...slot, target };
    }
    await proveLease(slot);
    await undoSetBack(slot);
    const active = await readActive(slot);
    noteHolder(active ? 'us' : memory.isTaken ? 'others' : undefined);
    if (isHandingOver && active?.state !== 'starting') {
      log.info({ target: name }, 'handed a slot over to another replica');
      return end();
    }
    const waitMs = await takeStep(slot, active);
    recall.failures = 0;
    outages.worker.worked({ target: name }, 'target worker works again');
    for (const outage of Object.values(outages)) outage.settle();
    staleStates = 0;
    return waitMs === Number.POSITIVE_INFINITY ? end() : waitMs;
  }

  // The renewals of all leases normally come first. Without them, as after a freeze, the lease may be
  // lost, and a step must not begin.
  async function proveLease({ lease }: OwnedSlot): Promise<void> {
    if (isLost) throw leaseLostError(name);
    const beganAt = elapsed();
    if (beganAt - renewedAt < timings.leaseMs / 2) return;
    const now = await database.transaction((queries) =>
      holdLease(queries, database, lease, timings.leaseMs),
    );
    renewedAt = beganAt;
    options.noteClock(now, beganAt);
  }

  // Without this, slices would wait until the clock is back where it was when they were accepted.
  async function undoSetBack({ lease }: OwnedSlot): Promise<void> {
    if (setBackMs === 0) return;
    const backMs = setBackMs;
    const facts = { target: name, setBackMs: backMs };
    log.error(facts, 'clock of the database was set back, shortened the waits');
    await database.transaction(async (queries) => {
      await holdLease(queries, database, lease, timings.leaseMs);
      await shortenWaits(queries, database, name, backMs);
    });
    setBackMs -= backMs;
    memory.readyAt = Number.NEGATIVE_INFINITY;
  }

  async function pause(ms: number): Promise<void> {
    if (ms > 0) await sleep(ms, stop);
    if (stop.aborted) throw new Error('Stopped');
    if (slot) await proveLease(slot);
  }

  async function recover(error: Error): Promise<number> {
    memory.running = undefined;
    if (stop.aborted) return end({ isStandingBack: true });
    if (isStaleState(error))
      return staleStates++ === 0 ? 0 : jitteredBackOffMs(staleStates, random);
    if (error.name === leaseLost) {
      log.warn({ target: name }, 'lost the lease of a slot to another replica');
      slot = undefined;
      // We may have sent something after that.
      await notePossibleOrphan(database, name).catch(() => {});
      return end();
    }
    recall.failures += 1;
    const problem = error instanceof Problem ? error.slug : undefined;
    const isDatabase = problem === 'database-unavailable';
    const counted = isDatabase ? Math.min(recall.failures, maxDatabaseFailures) : recall.failures;
    const pauseMs = jitteredBackOffMs(counted, random);
    const outage = isDatabase ? options.databaseOutage : outages.worker;
    const facts = { target: name, problem, err: error, pauseMs: Math.round(pauseMs) };
    outage.failed(facts, 'target worker failed, retrying');
    recall.notBefore = elapsed() + pauseMs;
    if (!slot) return end();
    if (isDatabase || recall.failures < failuresUntilRelease) return pauseMs;
    return end({ isStandingBack: true });
  }

  async function end({ isStandingBack = false } = {}): Promise<number> {
    isOver = true;
    const ending = slot;
    slot = undefined;
    for (const outage of Object.values(outages)) outage.settle(true);
    // A lease that cannot be released expires.
    if (ending) await releaseSlot(ending, isStandingBack).catch(() => {});
    return 0;
  }

  // Unless a slice may have become ready since.
  function foundNone(beganAt: number): void {
    if (beganAt > memory.changedAt) memory.readyAt = Number.POSITIVE_INFINITY;
  }

  const { wake } = wakeSignal;
  return {
    name,
    foundNone,
    ended: run(),
    wake,
    held: () => slot && { lease: slot.lease, since: takenAt },
    found({ readyInMs, activeJobId, isCancelRequested }, beganAt) {
      const { running } = memory;
      if (running && isCancelRequested && running.jobId === activeJobId) {
        if (!running.isCancelRequested) wake();
        running.isCancelRequested = true;
      }
      if (readyInMs === null) return foundNone(beganAt);
      memory.readyFoundAt = beganAt;
      if (beganAt + readyInMs >= memory.readyAt) return;
      memory.readyAt = beganAt + readyInMs;
      wake();
    },
    handOver() {
      if (!isHandingOver) wake();
      isHandingOver = true;
    },
    renewed(at) {
      renewedAt = Math.max(renewedAt, at);
    },
    lost() {
      isLost = true;
      wake();
    },
    clockSetBack(ms) {
      setBackMs += ms;
      wake();
    },
    targetChanged() {
      hasTargetChanged = true;
      wake();
    },
  };
}
