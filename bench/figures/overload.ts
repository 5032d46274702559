import { startChild } from '../child.ts';
import { type GatewayProcess, startGateway } from '../gateway.ts';
import { othersCore } from '../machine.ts';
import type { Flooded } from '../processes/flood.ts';
import { median, quantile, type RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

const times = 10;
const parallel = 50; // fewer than are turned away
const probeEveryMs = 100;
/** How long AWS takes for a create: so long that it is the limit, and so short that this process is. */
const pacesMs = [200, 0];

/** What becomes of the gateway when ten times more creates are sent than it can make. */
export async function measureOverload(world: World, scale: Scale): Promise<string[]> {
  const lines: string[] = [];
  for (const paceMs of pacesMs) {
    await setPace(world.awsUrl, paceMs);
    lines.push(...(await measureAt(paceMs, world, scale)));
  }
  await setPace(world.awsUrl, 0);
  return lines;
}

async function setPace(awsUrl: string, ms: number): Promise<void> {
  const faults = `${awsUrl}/_emulator/faults`;
  await fetch(faults, { method: 'DELETE' });
  if (ms === 0) return;
  const fault = { operation: 'CreateExportTask', kind: 'delay', ms, count: 1_000_000 };
  await fetch(faults, { method: 'POST', body: JSON.stringify(fault) });
}

async function measureAt(
  paceMs: number,
  { awsUrl, callers }: World,
  { warmUpCalls, roundSeconds, floodSeconds: seconds, recoverySeconds }: Scale,
): Promise<string[]> {
  await using gateway = await startGateway(awsUrl);
  await using flood = startChild({ script: 'bench/processes/flood.ts', core: othersCore });
  await flood.hello();
  const create = (round: { seconds: number; parallel: number }) =>
    callers.ask<RoundResult>({ ...round, url: gateway.url, requests: ['create'] });

  for (let calls = 0; calls < warmUpCalls / 2; ) {
    calls += (await create({ seconds: roundSeconds, parallel })).calls;
  }
  const beforeCreatesMs = gateway.cpuMs();
  const { calls, callsPerSecond: capacity } = await create({ seconds: roundSeconds * 3, parallel });
  const createMs = (gateway.cpuMs() - beforeCreatesMs) / calls;
  const send = (perSecond: number, forSeconds: number) =>
    flood.ask<Flooded>({ url: gateway.url, perSecond, seconds: forSeconds });
  const usual = await send(capacity / 10, roundSeconds);
  const before = gateway.residentMib();

  const observed = observe(gateway);
  const beforeFloodMs = gateway.cpuMs();
  const { accepted, turnedAway, others, tookSeconds } = await send(capacity * times, seconds);
  const floodMs = gateway.cpuMs() - beforeFloodMs;
  const { worstProbeMs, maxMib } = await observed.end();
  const normalAfterSeconds = await secondsUntil(async () => {
    const now = await send(capacity / 10, 0.3);
    const isFast = median(now.accepted) <= median(usual.accepted) * 1.5;
    return isFast && now.turnedAway.length + now.others === 0;
  }, recoverySeconds);

  const goodput = accepted.length / tookSeconds;
  const awayMs = (floodMs - accepted.length * createMs) / turnedAway.length;
  const p99 = (durationsMs: number[]) => tell(quantile(durationsMs, 0.99));
  return [
    `overload, AWS ${(paceMs / 1_000).toFixed(1)} s    goodput ${goodput.toFixed(0)}/s of ${capacity.toFixed(0)}/s, ratio ${(goodput / capacity).toFixed(2)} (goal ≥ 0.95)`,
    `  accepted           p99 ${p99(accepted)} ms (goal ≤ ${250 + paceMs})`,
    `  turned away        p99 ${p99(turnedAway)} ms (goal ≤ 50), ${turnedAway.length}, ${others} otherwise`,
    `  CPU time a call    ${(createMs * 1_000).toFixed(0)} µs accepted, ${tell(awayMs * 1_000)} µs turned away`,
    `  GET /health/live   ${worstProbeMs.toFixed(0)} ms at most meanwhile (goal ≤ 100)`,
    `  memory             ${(maxMib - before).toFixed(0)} MiB more resident at most (goal ≤ 64)`,
    `  afterwards         normal within ${normalAfterSeconds.toFixed(1)} s (goal ≤ 5)`,
  ];
}

/** Probes the gateway, and looks at its memory, until told to end. */
function observe({ url, residentMib }: GatewayProcess) {
  let isEnding = false;
  let worstProbeMs = 0;
  let maxMib = 0;
  async function look(): Promise<void> {
    while (!isEnding) {
      const beganAt = performance.now();
      await (await fetch(`${url}/health/live`)).text();
      worstProbeMs = Math.max(worstProbeMs, performance.now() - beganAt);
      maxMib = Math.max(maxMib, residentMib());
      await new Promise((resolve) => setTimeout(resolve, probeEveryMs));
    }
  }
  const looking = look();
  return {
    async end() {
      isEnding = true;
      await looking;
      return { worstProbeMs, maxMib };
    },
  };
}

/** A figure; a dash where there was nothing to measure. */
function tell(value: number): string {
  return Number.isFinite(value) ? value.toFixed(0) : '–';
}

/** How long it takes until something is so; given up after some time. */
async function secondsUntil(isSo: () => Promise<boolean>, atMost: number): Promise<number> {
  const beganAt = performance.now();
  const secondsGone = () => (performance.now() - beganAt) / 1_000;
  while (!(await isSo()) && secondsGone() < atMost);
  return secondsGone();
}
