import { Problem } from '#problems/problem.ts';
import type { Installation } from '#targets/marker.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import { readDurations } from '../store/reads/read-durations.ts';
import { findSetBackMs, makeDatabaseClock, shortenWaits } from '../store/steps/clock-set-back.ts';
import { holdLease, leaseLost, releaseLease, takeLease } from '../store/steps/hold-lease.ts';
import { type ActiveSlice, readActiveSlice } from '../store/steps/read-active-slice.ts';
import { isStaleState } from '../store/steps/stale-state.ts';
import { reconcileStart } from './attempts/reconcile.ts';
import { startNextSlice } from './attempts/start-slice.ts';
import { watchTask } from './attempts/watch-task.ts';
import { isSweepDue, sweepOrphansPage } from './orphan-sweep.ts';
import { isAlarmDue, type Outage, startOutage } from './outage.ts';
import { makeSlotMemory, type OwnedSlot, type SlotOptions } from './owned-slot.ts';
import { makeCallSpacing } from './pacing/call-spacing.ts';
import { jitteredBackOffMs } from './pacing/slot-back-off.ts';
import { makeTaskDurations } from './pacing/task-durations.ts';
import type { WakeSignal } from './pacing/wake-signal.ts';
import { watchForeignTask } from './watch-foreign-task.ts';

/** What the worker of one slot needs beside what its steps need. */
export interface WorkOptions extends Omit<SlotOptions, 'installation'> {
  installation: () => Promise<Installation>;
  /** The name of this process in the leases: unique among all processes that use the database. */
  owner: string;
  sleep: AbortableSleep;
  wakeSignal: WakeSignal;
  stop: AbortSignal;
}

// A standby tries to take the lease at least this often. Shorter: more statements for nothing.
// Longer: after a release the slot stands still.
const maxStandbyMs = 5_000;
// Only a new configuration ends this state, so there is no hurry.
const movedMs = 60_000;
// After this many failures in a row another replica gets the slot: it may reach AWS where we do not.
const failuresUntilRelease = 2;
// The back-off for the database grows no further than for this many failures. It is our own, so
// frequent attempts do no harm, and meanwhile the slot stands still.
const maxDatabaseFailures = 2;
// How many durations a new owner reads. Fewer: its first polls come late. More: it reads what is old.
const rememberedDurations = 100;

/**
 * Works the slot of one target until it is stopped: takes the lease, then takes one step after the
 * other. The whole state is in the database. So this process may end at any point, and any replica can
 * continue from there. Never throws.
 */
export async function workSlot(options: WorkOptions): Promise<void> {
  const { target, database, timings, owner, elapsed, random, sleep, log, wakeSignal, stop } =
    options;
  const callSpacing = makeCallSpacing({ elapsed, secondMs: timings.secondMs });
  const clock = makeDatabaseClock(elapsed);
  const memory = makeSlotMemory();
  const renewLeaseEveryMs = timings.leaseMs / 3;
  let slot: OwnedSlot | undefined;
  let renewedAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let staleStates = 0;
  let outage: Outage | undefined;
  let setBackMs = 0;

  while (!stop.aborted) {
    const waitMs = await workOnce().catch(recover);
    if (waitMs > 0) await wakeSignal.sleepUnlessWoken((signal) => sleep(waitMs, signal));
  }
  await release();

  async function workOnce(): Promise<number> {
    if (!slot) {
      const request = { target: target.name, accountId: target.accountId, region: target.region };
      const beganAt = elapsed();
      const answer = await takeLease(database, { ...request, owner, leaseMs: timings.leaseMs });
      if (!answer.lease) return standBy(answer);
      renewedAt = beganAt;
      clock.observe(answer.now, beganAt); // the rows show whether it was set back before
      memory.refusalOutage = undefined; // AWS may have accepted creates of another owner since
      const durations = makeTaskDurations(
        await readDurations(database, target.name, rememberedDurations),
        timings,
      );
      const installation = await options.installation();
      setBackMs = Math.max(answer.setBackMs, await findSetBackMs(database, target.name));
      slot = {
        ...options,
        installation,
        lease: answer.lease,
        callSpacing,
        durations,
        memory,
        pause,
      };
    }
    await renewLease(slot);
    await undoSetBack(slot);
    const waitMs = await takeStep(slot);
    failures = 0;
    staleStates = 0;
    outage = undefined;
    return Math.min(waitMs, renewLeaseEveryMs, timings.idleMs);
  }

  function standBy({ isMoved, freeInMs }: { isMoved: boolean; freeInMs: number }): number {
    if (!isMoved) return Math.min(freeInMs + 1 + random() * 250, maxStandbyMs);
    const text = 'left a slot alone: its target moved to another account or Region during a slice';
    log.error({ target: target.name }, text);
    return movedMs;
  }

  async function renewLease({ lease }: OwnedSlot): Promise<void> {
    const beganAt = elapsed();
    if (beganAt - renewedAt < renewLeaseEveryMs) return;
    const now = await database.transaction((queries) =>
      holdLease(queries, database, lease, timings.leaseMs),
    );
    renewedAt = beganAt;
    setBackMs += clock.observe(now, beganAt);
  }

  // Without this, slices would wait until the clock is back where it was when they were accepted.
  async function undoSetBack({ lease }: OwnedSlot): Promise<void> {
    if (setBackMs === 0) return;
    const facts = { target: target.name, setBackMs };
    log.error(facts, 'clock of the database was set back, shortened the waits');
    await database.transaction(async (queries) => {
      await holdLease(queries, database, lease, timings.leaseMs);
      await shortenWaits(queries, database, target.name, setBackMs);
    });
    setBackMs = 0;
  }

  async function pause(ms: number): Promise<void> {
    if (ms > 0) await sleep(Math.min(ms, renewLeaseEveryMs), stop);
    if (stop.aborted) throw new Error('Stopped');
    if (slot) await renewLease(slot);
  }

  async function recover(error: Error): Promise<number> {
    if (stop.aborted) return 0;
    if (isStaleState(error))
      return staleStates++ === 0 ? 0 : jitteredBackOffMs(staleStates, random);
    if (error.name === leaseLost) {
      log.warn({ target: target.name }, 'lost the lease of a slot to another replica');
      slot = undefined;
      return 0;
    }
    failures += 1;
    const problem = error instanceof Problem ? error.slug : undefined;
    const isDatabase = problem === 'database-unavailable';
    const counted = isDatabase ? Math.min(failures, maxDatabaseFailures) : failures;
    const pauseMs = jitteredBackOffMs(counted, random);
    const err = error instanceof Problem ? error.cause : error;
    outage ??= startOutage(elapsed());
    const level = isAlarmDue(outage, elapsed()) ? 'error' : 'warn';
    log[level]({ target: target.name, problem, err, pauseMs }, 'target worker failed, retrying');
    if (failures >= failuresUntilRelease && !isDatabase) await release();
    return pauseMs;
  }

  async function release(): Promise<void> {
    const lease = slot?.lease;
    slot = undefined;
    // A lease that cannot be released expires.
    if (lease) await releaseLease(database, lease).catch(() => {});
  }
}

/** Takes one step with the active slice or starts the next one, and sweeps if there is time. */
async function takeStep(slot: OwnedSlot): Promise<number> {
  const { database, target, callSpacing } = slot;
  const row = await readActiveSlice(database, target.name);
  const active = row && { ...row, ageMs: ageOf(slot, row) };
  const waitMs = await takeSlotStep(slot, active);
  if (waitMs === 0 || !isSweepDue(slot, waitMs)) return waitMs;
  const freeInMs = callSpacing.freeInMs();
  if (freeInMs === 0) await sweepOrphansPage(slot);
  return Math.min(waitMs, freeInMs);
}

/**
 * The age of an attempt, by our own clock from its first sight on: the database's clock may be
 * changed.
 */
function ageOf({ memory, elapsed }: OwnedSlot, { marker, ageMs }: ActiveSlice): number {
  if (memory.firstSight?.marker !== marker) {
    memory.firstSight = { marker, ageMs: Math.max(0, ageMs), at: elapsed() };
  }
  return memory.firstSight.ageMs + elapsed() - memory.firstSight.at;
}

async function takeSlotStep(slot: OwnedSlot, active: ActiveSlice | undefined): Promise<number> {
  // An unknown outcome of the last create comes first: there must never be two of them.
  if (active?.state === 'starting') return reconcileStart(slot, active);
  if (active) return watchTask(slot, active);
  return slot.memory.isTaken ? watchForeignTask(slot) : startNextSlice(slot);
}
