import type { Instruments } from '../instruments.ts';

const states = ['unchecked', 'ready', 'unusable'];

/** Measures the states of the configured targets. */
export function measureTargets({ gauge, beforeScrape, beforeScrapeOfTargets }: Instruments): void {
  const targetCounts = gauge({
    name: 'log_export_targets',
    help: 'Configured targets, by state.',
    labelNames: ['state'],
  });
  const targetStates = gauge({
    name: 'log_export_target_state',
    help: 'State of a target: 1 for the current state, 0 for the others.',
    labelNames: ['target', 'state'],
  });
  beforeScrape((targets) => {
    for (const state of states) targetCounts.set({ state }, 0);
    for (const { state } of targets) targetCounts.inc({ state });
  });
  beforeScrapeOfTargets((targets) => {
    targetStates.reset();
    for (const { name: target, state: current } of targets) {
      for (const state of states) targetStates.set({ target, state }, state === current ? 1 : 0);
    }
  });
}
