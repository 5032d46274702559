import type { Instruments } from './instruments.ts';

/** A counter for each target and each value of one label. */
export interface TargetTally<Value extends string> {
  add(target: string, value: Value, amount: number): void;
}

/**
 * Makes such a counter. A scrape has the series of the targets that are configured then, from 0 on. What
 * was counted for a target is forgotten when it is removed.
 */
export function makeTargetTally<Value extends string>(
  { counter, beforeScrape, beforeScrapeOfTargets }: Instruments,
  options: { name: string; help: string; label: string; values: readonly Value[] },
): TargetTally<Value> {
  const { name, help, label, values } = options;
  const metric = counter({ name, help, labelNames: ['target', label] });
  const amounts = new Map<string, Map<Value, number>>();

  beforeScrape((targets) => {
    const configured = new Set(targets.map((target) => target.name));
    for (const target of amounts.keys()) if (!configured.has(target)) amounts.delete(target);
  });
  beforeScrapeOfTargets((targets) => {
    metric.reset();
    for (const target of targets) {
      const amountsOfTarget = amounts.get(target.name);
      for (const value of values) {
        metric.inc({ target: target.name, [label]: value }, amountsOfTarget?.get(value) ?? 0);
      }
    }
  });

  return {
    add(target, value, amount) {
      const amountsOfTarget = amounts.get(target) ?? new Map<Value, number>();
      amounts.set(target, amountsOfTarget);
      amountsOfTarget.set(value, (amountsOfTarget.get(value) ?? 0) + amount);
    },
  };
}
