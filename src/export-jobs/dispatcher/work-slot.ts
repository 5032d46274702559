import { Problem } from '#problems/problem.ts';
import type { Installation } from '#targets/marker.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import { readDurations } from '../store/reads/read-durations.ts';
import { findSetBackMs, makeDatabaseClock, shortenWaits } from '../store/steps/clock-set-back.ts';
import { holdLease, leaseLost, releaseLease, takeLease } from '../store/steps/lease.ts';
import { type ActiveSlice, readActiveSlice } from '../store/steps/read-active-slice.ts';
import { isStaleState } from '../store/steps/stale-state.ts';
import { reconcileStart } from './attempts/reconcile.ts';
import { startNextSlice } from './attempts/start-slice.ts';
import { isSweepDue, sweepOrphansPage } from './orphan-sweep.ts';
import { makeCallSpacing } from './pacing/call-spacing.ts';
import { makeTaskDurations } from './pacing/task-durations.ts';
import { jitteredBackOffMs, makeSlotMemory, type OwnedSlot, type SlotOptions } from './slot.ts';
import { isAlarmDue, type Trouble, troubleAt } from './trouble.ts';
import type { WakeSignal } from './wake-signal.ts';
import { watchForeignTask, watchTask } from './watch-task.ts';

/** What working one slot needs beside what its steps need. */
export interface WorkOptions extends Omit<SlotOptions, 'installation'> {
  installation: () => Promise<Installation>;
  /** The name of this process in the leases: unique among all that use the database. */
  owner: string;
  sleep: AbortableSleep;
  wakeSignal: WakeSignal;
  stop: AbortSignal;
}

// A standby looks at least this often whether the slot has an owner.
const standbyMs = 5_000;
// Somebody has to look at the configuration; nothing changes by itself.
const movedMs = 60_000;
// After so many failures in a row another replica shall try: it may reach AWS where we do not.
const failuresUntilRelease = 2;
// The database is our own: asking it every few seconds hurts nobody, and the slot stands still.
const databaseFailures = 2;
const remembered = 50;

/**
 * Works the slot of one target until it is told to stop: takes the lease, then one step after the
 * other. All that has to be known is in the database, so it may end at any point and anybody may go
 * on from there. Never throws.
 */
export async function workSlot(options: WorkOptions): Promise<void> {
  const { target, database, limits, owner, elapsed, random, sleep, log, wakeSignal, stop } =
    options;
  const callSpacing = makeCallSpacing({ elapsed, everyMs: limits.pollIntervalMs });
  const clock = makeDatabaseClock(elapsed);
  const memory = makeSlotMemory();
  const renewLeaseEveryMs = limits.leaseMs / 3;
  let slot: OwnedSlot | undefined;
  let keptAt = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let staleStates = 0;
  let trouble: Trouble | undefined;
  let setBackMs = 0;

  while (!stop.aborted) {
    const waitMs = await takeTurn().catch(recover);
    if (waitMs > 0) await wakeSignal.sleepUnlessWoken((signal) => sleep(waitMs, signal));
  }
  await giveBack();

  async function takeTurn(): Promise<number> {
    if (!slot) {
      const request = { target: target.name, accountId: target.accountId, region: target.region };
      const beganAt = elapsed();
      const answer = await takeLease(database, { ...request, owner, leaseMs: limits.leaseMs });
      if (!answer.lease) return standBy(answer);
      keptAt = beganAt;
      clock.observe(answer.now, beganAt); // what it was before, the rows show
      memory.refused = undefined; // another owner's creates may have been taken since
      const durations = makeTaskDurations(await readDurations(database, target.name, remembered));
      const installation = await options.installation();
      setBackMs = Math.max(answer.setBackMs, await findSetBackMs(database, target.name));
      slot = {
        ...options,
        ...{ installation, lease: answer.lease, callSpacing, durations, memory, pause },
      };
    }
    await keepLease(slot);
    await undoSetBack(slot);
    const waitMs = await takeStep(slot);
    failures = 0;
    staleStates = 0;
    trouble = undefined;
    return Math.min(waitMs, renewLeaseEveryMs, limits.idleMs);
  }

  function standBy({ isMoved, freeInMs }: { isMoved: boolean; freeInMs: number }): number {
    if (!isMoved) return Math.min(freeInMs + 1 + random() * 250, standbyMs);
    const text =
      'the name of a target means another account or Region now, while a slice is under way';
    log.error({ target: target.name }, text);
    return movedMs;
  }

  async function keepLease({ lease }: OwnedSlot): Promise<void> {
    const now = elapsed();
    if (now - keptAt < renewLeaseEveryMs) return;
    const shown = await database.transaction((queries) =>
      holdLease(queries, database, lease, limits.leaseMs),
    );
    keptAt = now;
    setBackMs += clock.observe(shown, now);
  }

  // Otherwise slices wait until the clock is again where it was when they were accepted.
  async function undoSetBack({ lease }: OwnedSlot): Promise<void> {
    if (setBackMs === 0) return;
    const facts = { target: target.name, setBackMs };
    log.error(facts, 'clock of the database was set back, waits are shortened');
    await database.transaction(async (queries) => {
      await holdLease(queries, database, lease, limits.leaseMs);
      await shortenWaits(queries, database, target.name, setBackMs);
    });
    setBackMs = 0;
  }

  async function pause(ms: number): Promise<void> {
    if (ms > 0) await sleep(Math.min(ms, renewLeaseEveryMs), stop);
    if (stop.aborted) throw new Error('told to stop');
    if (slot) await keepLease(slot);
  }

  async function recover(error: Error): Promise<number> {
    if (stop.aborted) return 0;
    if (isStaleState(error))
      return staleStates++ === 0 ? 0 : jitteredBackOffMs(staleStates, random);
    if (error.name === leaseLost) {
      log.warn({ target: target.name }, 'another replica has taken the slot');
      slot = undefined;
      return 0;
    }
    failures += 1;
    const problem = error instanceof Problem ? error.slug : undefined;
    const isDatabase = problem === 'database-unavailable';
    const counted = isDatabase ? Math.min(failures, databaseFailures) : failures;
    const pauseMs = jitteredBackOffMs(counted, random);
    const err = error instanceof Problem ? error.cause : error;
    trouble ??= troubleAt(elapsed());
    const level = isAlarmDue(trouble, elapsed()) ? 'error' : 'warn';
    log[level]({ target: target.name, problem, err, pauseMs }, 'the slot could not be worked');
    if (failures >= failuresUntilRelease && !isDatabase) await giveBack();
    return pauseMs;
  }

  async function giveBack(): Promise<void> {
    const lease = slot?.lease;
    slot = undefined;
    // Not given back, it runs out.
    if (lease) await releaseLease(database, lease).catch(() => {});
  }
}

/** One step: what the row of the active slice asks for, or the next start. */
async function takeStep(slot: OwnedSlot): Promise<number> {
  const { database, target, callSpacing } = slot;
  const row = await readActiveSlice(database, target.name);
  const active = row && { ...row, ageMs: ageOf(slot, row) };
  const waitMs = await takeMainStep(slot, active);
  if (waitMs === 0 || !isSweepDue(slot, waitMs)) return waitMs;
  const apartInMs = callSpacing.apartInMs();
  if (apartInMs === 0) await sweepOrphansPage(slot);
  return Math.min(waitMs, apartInMs);
}

/** The age of an attempt, by our own clock once we have seen it: the database's may be turned. */
function ageOf({ memory, elapsed }: OwnedSlot, { marker, ageMs }: ActiveSlice): number {
  if (memory.seen?.marker !== marker) {
    memory.seen = { marker, ageMs: Math.max(0, ageMs), seenAt: elapsed() };
  }
  return memory.seen.ageMs + elapsed() - memory.seen.seenAt;
}

async function takeMainStep(slot: OwnedSlot, active: ActiveSlice | undefined): Promise<number> {
  // Whatever is not known of the last create comes first: never two unknowns.
  if (active?.state === 'starting') return reconcileStart(slot, active);
  if (active) return watchTask(slot, active);
  return slot.memory.isTaken ? watchForeignTask(slot) : startNextSlice(slot);
}
