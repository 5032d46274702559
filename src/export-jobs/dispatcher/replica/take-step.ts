import { type ActiveSlice, readActiveSlice } from '../../store/steps/read-active-slice.ts';
import { reconcileStart } from '../attempts/reconcile.ts';
import { startNextSlice } from '../attempts/start-slice.ts';
import { watchTask } from '../attempts/watch-task.ts';
import { sweepDueInMs, sweepOrphansPage } from '../orphan-sweep.ts';
import type { OwnedSlot } from '../owned-slot.ts';
import { watchForeignTask } from '../watch-foreign-task.ts';

/**
 * Takes one step with the active slice or starts the next one, and sweeps if there is time. Returns
 * after how many milliseconds to continue; never if there is nothing to do or to look after.
 */
export async function takeStep(slot: OwnedSlot, active: ActiveSlice | undefined): Promise<number> {
  const waitMs = await takeSlotStep(slot, active);
  if (waitMs === 0 || (slot.target.isDraining() && !active)) return waitMs;
  const sweepInMs = sweepDueInMs(slot, waitMs);
  if (sweepInMs > 0) return Math.min(waitMs, sweepInMs);
  const freeInMs = slot.callSpacing.freeInMs();
  if (freeInMs === 0) await sweepOrphansPage(slot);
  return Math.min(waitMs, freeInMs);
}

/** Reads the slice in the slot. A running one is remembered: only our own steps change its state. */
export async function readActive(slot: OwnedSlot): Promise<ActiveSlice | undefined> {
  const { database, target, memory } = slot;
  const row = memory.running ?? (await readActiveSlice(database, target.name));
  memory.running = row?.state === 'starting' ? undefined : row;
  return row && { ...row, ageMs: ageOf(slot, row) };
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
  if (slot.target.isDraining()) return Number.POSITIVE_INFINITY;
  const readyInMs = slot.memory.readyAt - slot.elapsed();
  if (readyInMs > 0) return readyInMs;
  return slot.memory.isTaken ? watchForeignTask(slot) : startNextSlice(slot);
}
