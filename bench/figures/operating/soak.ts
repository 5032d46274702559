import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { formatFailures, type PacedRequest, startPacedLoad } from '../../paced.ts';
import { createBody } from '../../requests.ts';
import { median, type RoundResult } from '../../round.ts';
import type { Scale, World } from '../../scale.ts';

const requests: PacedRequest[] = [
  { method: 'POST', path: '/export-tasks', body: JSON.stringify(createBody) },
  { method: 'GET', path: '/export-tasks?limit=10' },
  { method: 'GET', path: '/export-jobs' },
  { method: 'GET', path: '/health/live' },
];
const samples = 60;
// The first part, in which caches and the heap grow to their size, does not count.
const warmUpShare = 0.2;

/** Half of the load that a gateway can carry, for minutes: whether anything grows. */
export async function measureSoak(
  { openGateway, callers }: World,
  { soakSeconds, roundSeconds, requestsPerSecond, probes }: Scale,
): Promise<string[]> {
  await using gateway = await openGateway();
  const capacity = await callers.call<RoundResult>({
    url: gateway.url,
    requests: ['create', 'list', 'live'],
    seconds: 5 * roundSeconds,
    parallel: 50,
  });
  const perSecond = Math.min(requestsPerSecond, Math.round(capacity.callsPerSecond / 2));
  await using load = startPacedLoad(gateway.url, { perSecond, requests });

  const taken: Record<'seconds' | 'memory' | 'descriptors' | 'delay', number>[] = [];
  const beganAt = performance.now();
  for (let sample = 1; sample <= samples; sample++) {
    await delay(
      Math.max(0, beganAt + (sample * soakSeconds * 1_000) / samples - performance.now()),
    );
    taken.push({
      seconds: (performance.now() - beganAt) / 1_000,
      memory: gateway.anonymousMib(),
      descriptors: readdirSync(`/proc/${gateway.pid}/fd`).length,
      delay: await probe(gateway.url, probes),
    });
  }
  await load.stop();

  const counted = taken.slice(Math.floor(warmUpShare * samples));
  const slope = (of: 'memory' | 'descriptors' | 'delay') => {
    const { perSecond: each, error } = slopeOf(counted.map((one) => [one.seconds, one[of]]));
    return `${(3_600 * each).toFixed(1)} ± ${(3_600 * 2 * error).toFixed(1)}`;
  };
  return [
    `soak                 ${(soakSeconds / 60).toFixed(1)} min at ${perSecond} requests/s: ${formatFailures(load.report)} (goal 0)`,
    `  memory             ${slope('memory')} MiB an hour, of ${median(counted.map(({ memory }) => memory)).toFixed(0)} MiB anonymous`,
    `  descriptors        ${slope('descriptors')} an hour, of ${median(counted.map(({ descriptors }) => descriptors))}`,
    `  GET /health/live   ${slope('delay')} ms an hour, of ${median(counted.map((one) => one.delay)).toFixed(1)} ms`,
  ];
}

/** The median time of some probes, in milliseconds: it has the delay of the event loop. */
async function probe(url: string, probes: number): Promise<number> {
  const tookMs: number[] = [];
  for (let count = 0; count < probes; count++) {
    const sentAt = performance.now();
    const answer = await fetch(`${url}/health/live`);
    await answer.text();
    tookMs.push(performance.now() - sentAt);
  }
  return median(tookMs);
}

/** The slope of a line through points, by least squares, and its standard error. */
function slopeOf(points: readonly (readonly [number, number])[]) {
  const mean = (values: readonly number[]) =>
    values.reduce((sum, each) => sum + each, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const squares = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  const perSecond = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / squares;
  const rest = points.reduce((sum, [x, y]) => sum + (y - meanY - perSecond * (x - meanX)) ** 2, 0);
  return { perSecond, error: Math.sqrt(rest / (points.length - 2) / squares) };
}
