import { startChild } from '../child.ts';
import type { RunningGateway } from '../gateway.ts';
import { supportCore } from '../machine.ts';
import type { FloodResult } from '../processes/flood.ts';
import { median, quantile, type RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

const overloadFactor = 10;
const parallel = 50; // below the limit of requests in flight
const probeEveryMs = 100;
/** The times of a create at AWS: one makes AWS the bottleneck, the other the gateway. */
const createDelaysMs = [200, 0];

/** Throughput, latency and memory when ten times more creates arrive than the gateway can make. */
export async function measureOverload(world: World, scale: Scale): Promise<string[]> {
  const lines: string[] = [];
  for (const createDelayMs of createDelaysMs) {
    await setCreateDelay(world.awsUrl, createDelayMs);
    lines.push(...(await measureAt(createDelayMs, world, scale)));
  }
  await setCreateDelay(world.awsUrl, 0);
  return lines;
}

async function setCreateDelay(awsUrl: string, ms: number): Promise<void> {
  const faults = `${awsUrl}/_emulator/faults`;
  await fetch(faults, { method: 'DELETE' });
  if (ms === 0) return;
  const fault = { operation: 'CreateExportTask', kind: 'delay', ms, count: 1_000_000 };
  await fetch(faults, { method: 'POST', body: JSON.stringify(fault) });
}

async function measureAt(
  createDelayMs: number,
  { openGateway, callers }: World,
  { warmUpCalls, roundSeconds, floodSeconds: seconds, recoverySeconds }: Scale,
): Promise<string[]> {
  await using gateway = await openGateway();
  await using flood = startChild({ script: 'bench/processes/flood.ts', core: supportCore });
  await flood.whenReady();
  const create = (round: { seconds: number; parallel: number }) =>
    callers.call<RoundResult>({ ...round, url: gateway.url, requests: ['create'] });

  for (let calls = 0; calls < warmUpCalls / 2; ) {
    calls += (await create({ seconds: roundSeconds, parallel })).calls;
  }
  const beforeCreatesMs = gateway.cpuMs();
  const { calls, callsPerSecond: capacity } = await create({ seconds: roundSeconds * 3, parallel });
  const createMs = (gateway.cpuMs() - beforeCreatesMs) / calls;
  const send = (perSecond: number, forSeconds: number) =>
    flood.call<FloodResult>({ url: gateway.url, perSecond, seconds: forSeconds });
  const normal = await send(capacity / 10, roundSeconds);
  const before = gateway.residentMib();

  const observed = observe(gateway);
  const beforeFloodMs = gateway.cpuMs();
  const { accepted, refused, others, tookSeconds } = await send(capacity * overloadFactor, seconds);
  const floodMs = gateway.cpuMs() - beforeFloodMs;
  const { worstProbeMs, maxMib } = await observed.end();
  const normalAfterSeconds = await secondsUntil(async () => {
    const now = await send(capacity / 10, 0.3);
    const isFast = median(now.accepted) <= median(normal.accepted) * 1.5;
    return isFast && now.refused.length + now.others === 0;
  }, recoverySeconds);

  const goodput = accepted.length / tookSeconds;
  const refusalMs = (floodMs - accepted.length * createMs) / refused.length;
  const p99 = (durationsMs: number[]) => format(quantile(durationsMs, 0.99));
  return [
    `overload, AWS ${(createDelayMs / 1_000).toFixed(1)} s    goodput ${goodput.toFixed(0)}/s of ${capacity.toFixed(0)}/s, ratio ${(goodput / capacity).toFixed(2)} (goal ≥ 0.95)`,
    `  accepted           p99 ${p99(accepted)} ms (goal ≤ ${250 + createDelayMs})`,
    `  refused            p99 ${p99(refused)} ms (goal ≤ 50), ${refused.length}, ${others} other answers`,
    `  CPU time a call    ${(createMs * 1_000).toFixed(0)} µs accepted, ${format(refusalMs * 1_000)} µs refused`,
    `  GET /health/live   ${worstProbeMs.toFixed(0)} ms at most meanwhile (goal ≤ 100)`,
    `  memory             ${(maxMib - before).toFixed(0)} MiB more resident at most (goal ≤ 64)`,
    `  afterwards         normal within ${normalAfterSeconds.toFixed(1)} s (goal ≤ 5)`,
  ];
}

/** Probes the gateway and its memory until `end` is called. */
function observe({ url, residentMib }: RunningGateway) {
  let isEnding = false;
  let worstProbeMs = 0;
  let maxMib = 0;
  async function probe(): Promise<void> {
    while (!isEnding) {
      const beganAt = performance.now();
      await (await fetch(`${url}/health/live`)).text();
      worstProbeMs = Math.max(worstProbeMs, performance.now() - beganAt);
      maxMib = Math.max(maxMib, residentMib());
      await new Promise((resolve) => setTimeout(resolve, probeEveryMs));
    }
  }
  const probing = probe();
  return {
    async end() {
      isEnding = true;
      await probing;
      return { worstProbeMs, maxMib };
    },
  };
}

/** Formats a figure; a dash when there was nothing to measure. */
function format(value: number): string {
  return Number.isFinite(value) ? value.toFixed(0) : '–';
}

/** The seconds until a condition holds, up to `maxSeconds`. */
async function secondsUntil(
  condition: () => Promise<boolean>,
  maxSeconds: number,
): Promise<number> {
  const beganAt = performance.now();
  const elapsedSeconds = () => (performance.now() - beganAt) / 1_000;
  while (!(await condition()) && elapsedSeconds() < maxSeconds);
  return elapsedSeconds();
}
