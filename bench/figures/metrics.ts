import type { HeapProfiler, Profiler } from 'node:inspector';

import { findFreePort } from '../../test/free-port.ts';
import { startGateway } from '../gateway.ts';
import { readShares } from '../metrics-profile.ts';
import { createsAt, formatRates, measurePairs } from '../pairs.ts';
import type { MetricsMessage } from '../processes/metrics-switch.ts';
import { median, type RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/**
 * CreateExportTask while metrics are collected, and scraped once in each round of a second. Two processes with the
 * same settings differ by up to 8 %. So it is one process, and its metrics are turned off in every other round.
 * On a busy machine, the rounds differ as much. So V8 also samples where the process spends its time.
 */
export async function measureMetrics({ awsUrl, callers }: World, scale: Scale): Promise<string[]> {
  const port = await findFreePort();
  await using gateway = await startGateway(awsUrl, {
    env: { METRICS_PORT: String(port) },
    preload: 'bench/processes/metrics-switch.ts',
  });
  const ask = <Answer>(message: MetricsMessage) => gateway.call<Answer>(message);
  const creates = createsAt(gateway, callers, scale.roundSeconds);
  const scrapes: Scrape[] = [];
  async function runScraped(): Promise<RoundResult> {
    await ask({ isOn: true });
    const [result, scrape] = await Promise.all([creates.runRound(), scrapeAt(port)]);
    scrapes.push(scrape);
    return result;
  }
  async function runBare(): Promise<RoundResult> {
    await ask({ isOn: false });
    return creates.runRound();
  }
  const pairs = await measurePairs(
    { child: gateway, runRound: runScraped },
    { child: gateway, runRound: runBare },
    { ...scale, rounds: scale.pairsInProcess },
  );
  await ask({ method: 'Profiler.enable' });
  await ask({ method: 'Profiler.setSamplingInterval', params: cpuSampling });
  await ask({ method: 'Profiler.start' });
  await ask({ method: 'HeapProfiler.startSampling', params: heapSampling });
  const cpuMsBefore = gateway.cpuMs();
  for (let round = 0; round < scale.rounds; round++) await runScraped();
  const cpuMs = gateway.cpuMs() - cpuMsBefore;
  const heap = await ask<HeapProfiler.StopSamplingReturnType>(stopHeapSampling);
  const cpu = await ask<Profiler.StopReturnType>({ method: 'Profiler.stop' });

  const shares = readShares(cpu.profile, heap.profile);
  const observations = shares.observations / (1 - shares.scrapes);
  const scrapeMs = (shares.scrapes * cpuMs) / scale.rounds;
  const ratio = (seconds: number) =>
    ((1 - observations) * (1 - scrapeMs / 1_000 / seconds)).toFixed(3);
  const { rates, cpuTimes } = formatRates(pairs);
  const kib = median(scrapes.map(({ bytes }) => bytes)) / 1_024;
  const ms = median(scrapes.map((scrape) => scrape.ms));
  return [
    `create, scraped 1 s  ${rates} (goal ≥ 0.97)`,
    `  CPU time a call    ${cpuTimes}`,
    `  by CPU samples     observations ${(100 * observations).toFixed(2)} % of a create, a scrape ${scrapeMs.toFixed(1)} ms of CPU time`,
    `  CPU time, ratio    ${ratio(1)} scraped every second, ${ratio(15)} every 15 s (goal ≥ 0.97)`,
    `  scrape             ${kib.toFixed(0)} KiB in ${ms.toFixed(1)} ms`,
  ];
}

// More samples: they take more time than what they measure. Fewer: a scrape has none.
const cpuSampling = { interval: 200 }; // µs
const heapSampling = {
  samplingInterval: 65_536, // bytes
  includeObjectsCollectedByMajorGC: true,
  includeObjectsCollectedByMinorGC: true,
};
const stopHeapSampling = { method: 'HeapProfiler.stopSampling' };

interface Scrape {
  bytes: number;
  ms: number;
}

async function scrapeAt(port: number): Promise<Scrape> {
  const beganAt = performance.now();
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  const { length } = await answer.text();
  return { bytes: length, ms: performance.now() - beganAt };
}
