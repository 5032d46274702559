import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

import type { Instruments } from '../instruments.ts';

const resolutionMs = 10;
const nsPerMs = 1e6;

/**
 * Measures the process, with the usual names. It does not use `collectDefaultMetrics` of the client: that
 * observes each garbage collection, of which there is one for every ten creates, and it cannot be closed.
 */
export function measureProcess({ counter, gauge, beforeScrape }: Instruments): Disposable {
  const cpu = counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of the process, in seconds.',
  });
  const start = gauge({
    name: 'process_start_time_seconds',
    help: 'Start of the process, in seconds since 1970.',
  });
  const resident = gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory of the process, in bytes.',
  });
  const descriptors = gauge({ name: 'process_open_fds', help: 'Open file descriptors.' });
  const heapTotal = gauge({
    name: 'nodejs_heap_size_total_bytes',
    help: 'Size of the heap of V8, in bytes.',
  });
  const heapUsed = gauge({
    name: 'nodejs_heap_size_used_bytes',
    help: 'Used part of the heap of V8, in bytes.',
  });
  const external = gauge({
    name: 'nodejs_external_memory_bytes',
    help: 'Memory of buffers and other objects outside of the heap, in bytes.',
  });
  const utilization = gauge({
    name: 'nodejs_eventloop_utilization',
    help: 'Share of the time since the last scrape in which the event loop was busy, from 0 to 1.',
  });
  const lagMean = gauge({
    name: 'nodejs_eventloop_lag_mean_seconds',
    help: 'Mean delay of the event loop since the last scrape, in seconds.',
  });
  const lagP99 = gauge({
    name: 'nodejs_eventloop_lag_p99_seconds',
    help: '99th percentile of the delays of the event loop since the last scrape, in seconds.',
  });
  const lagMax = gauge({
    name: 'nodejs_eventloop_lag_max_seconds',
    help: 'Longest delay of the event loop since the last scrape, in seconds.',
  });
  gauge({
    name: 'nodejs_version_info',
    help: 'Version of Node, always 1.',
    labelNames: ['version'],
  }).set({ version: process.version }, 1);
  start.set(performance.timeOrigin / 1_000);

  const delays = monitorEventLoopDelay({ resolution: resolutionMs });
  delays.enable();
  let busyBefore = performance.eventLoopUtilization();
  let cpuBefore = 0;
  // NaN if the loop has not turned since the last scrape. Node counts the resolution as delay.
  const toSeconds = (ns: number) => Math.max(0, (ns || 0) / nsPerMs - resolutionMs) / 1_000;

  beforeScrape(() => {
    const { user, system } = process.cpuUsage();
    cpu.inc((user + system) / 1e6 - cpuBefore);
    cpuBefore = (user + system) / 1e6;
    const memory = process.memoryUsage();
    resident.set(memory.rss);
    heapTotal.set(memory.heapTotal);
    heapUsed.set(memory.heapUsed);
    external.set(memory.external);
    descriptors.set(countDescriptors());
    const busy = performance.eventLoopUtilization();
    utilization.set(performance.eventLoopUtilization(busy, busyBefore).utilization);
    busyBefore = busy;
    lagMean.set(toSeconds(delays.mean));
    lagP99.set(toSeconds(delays.percentile(99)));
    lagMax.set(toSeconds(delays.max));
    delays.reset();
  });
  return { [Symbol.dispose]: () => void delays.disable() };
}

/** Counts the open file descriptors, without that of the count itself. Other systems than Linux have 0. */
function countDescriptors(): number {
  try {
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return 0;
  }
}
