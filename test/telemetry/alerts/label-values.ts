import { errorMeanings } from '#aws/error-table.ts';
import { openMetrics } from '#telemetry/metrics/open-metrics.ts';
import { archiveSummary } from '../../archives/archive-rows.ts';
import { readExposition } from '../metrics/exposition.ts';
import type { Matcher } from './promql.ts';

const queue = {
  target: 'one',
  delayed: 0,
  ready: 1,
  oldestReadyMs: 0,
  active: null,
  verifying: 0,
  oldestVerificationMs: 0,
  isHeldByOthers: false,
};

const archive = {
  id: 'one',
  name: 'one',
  target: 'one',
  state: 'current',
  isStopped: false,
  lookOverdueMs: 0,
  partitions: archiveSummary().partitions,
  watermarkAt: 0,
  nextExpiryAt: 0,
};

/** The values of each label that come from a closed list, as the metrics have them from the start. */
async function readClosedLists(): Promise<Map<string, Set<string>>> {
  using metrics = openMetrics({
    targets: () => [{ name: 'one', state: 'ready' }],
    elapsed: () => 0,
    jobs: { read: async () => [queue], isDatabaseReady: () => true, sleep: async () => {} },
    archives: { read: async () => [archive], sleep: async () => {} },
    notifications: { read: async () => [], sleep: async () => {} },
  });
  await metrics.render(); // starts the reading of the queue
  await new Promise(setImmediate);
  const lists = new Map<string, Set<string>>();
  for (const { name, labels } of readExposition(await metrics.render()).samples) {
    for (const [label, value] of Object.entries(labels)) {
      const key = `${name} ${label}`;
      lists.set(key, (lists.get(key) ?? new Set()).add(value));
    }
  }
  const codes = ['timeout', 'not_sent', '_OTHER', ...errorMeanings.map(({ code }) => code)];
  const unlisted = ['ServiceUnavailable', 'InternalFailure', 'InternalServerException'];
  lists.set('rpc_client_call_duration_seconds_count error_type', new Set([...codes, ...unlisted]));
  return lists;
}

/** Makes a check of matchers: it returns the values that their label never has. */
export async function makeValueCheck(): Promise<(metric: string, matcher: Matcher) => string[]> {
  const lists = await readClosedLists();
  return (metric, { label, operator, value }) => {
    const known = lists.get(`${metric} ${label}`);
    if (!known || value === '' || label === 'target' || value.startsWith('$')) return [];
    const alternatives = operator.includes('~') ? value.split('|').filter(Boolean) : [value];
    const occurs = (alternative: string) =>
      operator.includes('~')
        ? [...known].some((each) => new RegExp(`^(?:${alternative})$`).test(each))
        : known.has(alternative);
    return alternatives.filter((alternative) => !occurs(alternative));
  };
}
