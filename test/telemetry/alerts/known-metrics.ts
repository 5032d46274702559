import { readFileSync } from 'node:fs';

import { openMetrics } from '#telemetry/metrics/open-metrics.ts';
import { readExposition } from '../metrics/exposition.ts';

/**
 * The labels of each metric of the gateway, without those that Prometheus adds. The table in the docs is
 * held to what is registered after a scripted run, by the tests of the metrics.
 */
const knownMetrics: ReadonlyMap<string, readonly string[]> = new Map([
  ...readDocumented(),
  ...(await readProcess()),
  ['up', []],
  ['ALERTS', ['alertname', 'alertstate']],
]);

function readDocumented(): [string, string[]][] {
  const page = readFileSync('docs/operations.md', 'utf8');
  const rows = page.matchAll(/^\| `([a-z_]+)` \| (?:counter|gauge|histogram) \|([^|]*)\|/gm);
  return [...rows].map(([, name = '', labels = '']) => [
    name,
    [...labels.matchAll(/`([a-z_]+)`/g)].map(([, label = '']) => label),
  ]);
}

/** Those that the gateway has of its process. No rule uses their labels. */
async function readProcess(): Promise<[string, string[]][]> {
  using metrics = openMetrics({ targets: () => [], elapsed: () => 0 });
  const { names } = readExposition(await metrics.render());
  return names.filter((name) => /^(?:process|nodejs)_/.test(name)).map((name) => [name, []]);
}

/** The labels of a metric, or of the buckets, sum or count of a histogram. Throws if there is none. */
export function labelsOf(metric: string): readonly string[] {
  const histogram = metric.replace(/_(?:bucket|sum|count)$/, '');
  const labels = knownMetrics.get(metric) ?? knownMetrics.get(histogram);
  if (!labels) throw new Error(`The gateway has no metric ${metric}`);
  return metric.endsWith('_bucket') ? [...labels, 'le'] : labels;
}
