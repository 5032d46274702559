import { handOffs, slotOccupancies } from '#diagnostics/slots.ts';
import type { Instruments } from '../instruments.ts';
import { makeTargetTally } from '../target-tally.ts';

const holders = ['us', 'others'] as const;

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
  const held = new Map<string, { holder: (typeof holders)[number]; since: number }>();
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

  listen(slotOccupancies, ({ target, holder }) => {
    addTime(target);
    if (holder) held.set(target, { holder, since: elapsed() });
    else held.delete(target);
  });
  beforeScrape(() => {
    for (const target of held.keys()) addTime(target);
    const slots = [...held.values()];
    for (const holder of holders) {
      slotsHeld.set({ holder }, slots.filter((slot) => slot.holder === holder).length);
    }
  });
  beforeScrapeOfTargets((targets) => {
    targetHeld.reset();
    for (const { name: target } of targets) {
      const { holder: current } = held.get(target) ?? {};
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
