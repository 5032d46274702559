import { completedTasks } from '#diagnostics/exports.ts';
import { handOffs, slotOccupancies } from '#diagnostics/slots.ts';
import type { Instruments } from '../instruments.ts';
import { makeTargetTally } from '../target-tally.ts';

const holders = ['us', 'others'] as const;

// Between two tasks of others. Shorter: a tool that exports in a loop, or another replica that works the slot, ends the
// hold. Longer: a slot that is free looks held.
const maxGapMs = 120_000;

/** Measures who holds the slots that this process works, and hand-offs. */
export function measureSlots(instruments: Instruments): void {
  const { counter, gauge, histogram, listen, beforeScrape, beforeScrapeOfTargets, elapsed } =
    instruments;
  const slotsHeld = gauge({
    name: 'log_export_slots_held',
    help: 'Slots that this process works, by holder: a slice of ours, or a task of others.',
    labelNames: ['holder'],
  });
  const heldSeconds = counter({
    name: 'log_export_slot_held_seconds_total',
    help: 'Time that slots were held while this process worked them, in seconds, by holder.',
    labelNames: ['holder'],
  });
  const targetHeld = gauge({
    name: 'log_export_target_slot_held',
    help: 'Whether the slot of a target is held, as this process sees it: 1 or 0, by holder.',
    labelNames: ['target', 'holder'],
  });
  const targetSeconds = makeTargetTally(instruments, {
    name: 'log_export_target_slot_held_seconds_total',
    help: 'Time that the slot of a target was held while this process worked it, in seconds, by holder.',
    label: 'holder',
    values: holders,
  });
  const heldByOthers = gauge({
    name: 'log_export_slot_held_by_others_seconds',
    help: 'Longest time that others have held a slot without a completed task of ours, in seconds; 0 if they hold none.',
  });
  const targetHeldByOthers = gauge({
    name: 'log_export_target_slot_held_by_others_seconds',
    help: 'Time that others have held the slot of a target without a completed task of ours, in seconds; 0 if they do not.',
    labelNames: ['target'],
  });
  const held = new Map<string, { holder: (typeof holders)[number]; since: number }>();
  /** The holds by others. Short gaps do not end them. */
  const holds = new Map<string, { since: number; until: number }>();
  for (const holder of holders) heldSeconds.inc({ holder }, 0);

  function addTime(target: string): void {
    const slot = held.get(target);
    if (!slot) return;
    const now = elapsed();
    const seconds = (now - slot.since) / 1_000;
    slot.since = now;
    heldSeconds.inc({ holder: slot.holder }, seconds);
    targetSeconds.add(target, slot.holder, seconds);
  }

  function endOldHolds(): void {
    for (const [target, hold] of holds) {
      if (held.get(target)?.holder === 'others') hold.until = elapsed();
      else if (elapsed() - hold.until > maxGapMs) holds.delete(target);
    }
  }

  listen(completedTasks, ({ target }) => void holds.delete(target));
  listen(slotOccupancies, ({ target, holder, foreignMs = 0 }) => {
    addTime(target);
    endOldHolds();
    if (holder === 'others') {
      const since = elapsed() - foreignMs;
      const hold = holds.get(target);
      holds.set(target, { since: Math.min(since, hold?.since ?? since), until: elapsed() });
    }
    if (holder) held.set(target, { holder, since: elapsed() });
    else held.delete(target);
  });
  beforeScrape(() => {
    for (const target of held.keys()) addTime(target);
    endOldHolds();
    heldByOthers.set(Math.max(0, ...[...holds.values()].map(lengthOf)));
    const slots = [...held.values()];
    for (const holder of holders) {
      slotsHeld.set({ holder }, slots.filter((slot) => slot.holder === holder).length);
    }
  });
  beforeScrapeOfTargets((targets) => {
    targetHeld.reset();
    targetHeldByOthers.reset();
    for (const { name: target } of targets) {
      const { holder: current } = held.get(target) ?? {};
      targetHeldByOthers.set({ target }, lengthOf(holds.get(target)));
      for (const holder of holders) targetHeld.set({ target, holder }, holder === current ? 1 : 0);
    }
  });

  const handOffDurations = histogram({
    name: 'log_export_hand_off_seconds',
    help: 'Time from the end of an export task to the next create at its target, in seconds, if a slice was ready.',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  });
  listen(handOffs, ({ durationMs }) => handOffDurations.observe(durationMs / 1_000));
}

/** The length of a hold, in seconds; 0 if there is none. */
function lengthOf(hold: { since: number; until: number } | undefined): number {
  return hold ? (hold.until - hold.since) / 1_000 : 0;
}
