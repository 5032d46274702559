import { type Child, startChild } from '../child.ts';
import { awsEnvironment, startGateway } from '../gateway.ts';
import { subjectCore } from '../machine.ts';
import { median, type Round, type RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/** A round of the gateway and one of the bare SDK, made one after the other. */
interface Pair {
  gateway: Measured;
  sdk: Measured;
}

interface Measured extends RoundResult {
  /** CPU time each call took of the process it is about. */
  cpuMs: number;
}

/** CreateExportTask through the gateway against the bare SDK: calls a second, and added latency. */
export async function measureCalls(world: World, scale: Scale): Promise<string[]> {
  const { aws, awsUrl, callers } = world;
  await using gateway = await startGateway(awsUrl);
  await using sdk = startChild({
    script: 'bench/processes/bare-sdk.ts',
    core: subjectCore,
    env: awsEnvironment(awsUrl),
  });
  await sdk.hello();
  const othersBusy: number[] = [];

  const many = await measurePairs(50);
  const one = await measurePairs(1);
  const of = (pairs: Pair[], read: (pair: Pair) => number) => median(pairs.map(read));
  const gatewayRate = of(many, (pair) => pair.gateway.callsPerSecond).toFixed(0);
  const sdkRate = of(many, (pair) => pair.sdk.callsPerSecond).toFixed(0);
  const rateRatio = of(many, (pair) => pair.gateway.callsPerSecond / pair.sdk.callsPerSecond);
  const gatewayCpu = of(many, (pair) => pair.gateway.cpuMs).toFixed(2);
  const sdkCpu = of(many, (pair) => pair.sdk.cpuMs).toFixed(2);
  const cpuRatio = of(many, (pair) => pair.sdk.cpuMs / pair.gateway.cpuMs);
  const gatewayMs = of(one, (pair) => pair.gateway.medianMs).toFixed(2);
  const sdkMs = of(one, (pair) => pair.sdk.medianMs).toFixed(2);
  const addedMs = of(one, (pair) => pair.gateway.medianMs - pair.sdk.medianMs).toFixed(2);
  return [
    `create, 50 at once   gateway ${gatewayRate}/s, bare SDK ${sdkRate}/s, ratio ${rateRatio.toFixed(2)} (goal ≥ 0.85)`,
    `  CPU time a call    gateway ${gatewayCpu} ms, bare SDK ${sdkCpu} ms, ratio ${cpuRatio.toFixed(2)}`,
    `  AWS and callers    ${(100 * Math.max(...othersBusy)).toFixed(0)} % of a core at most`,
    `create, one at once  gateway ${gatewayMs} ms, bare SDK ${sdkMs} ms, added ${addedMs} ms (goal ≤ 0.5)`,
  ];

  async function measurePairs(parallel: number): Promise<Pair[]> {
    const round = { seconds: scale.roundSeconds, parallel };
    const pairs: Pair[] = [];
    for (let number = -scale.warmUps; number < scale.rounds; number++) {
      const pair = { gateway: await askGateway(round), sdk: await askSdk(round) };
      if (number >= 0) pairs.push(pair);
    }
    return pairs;
  }

  async function askGateway(round: Round): Promise<Measured> {
    const before = aws.cpuMs() + callers.cpuMs();
    const request = { ...round, url: gateway.url, requests: ['create'] };
    const result = await withCpu(gateway, () => callers.ask<RoundResult>(request));
    othersBusy.push((aws.cpuMs() + callers.cpuMs() - before) / (round.seconds * 1_000));
    return result;
  }

  function askSdk(round: Round): Promise<Measured> {
    return withCpu(sdk, () => sdk.ask<RoundResult>(round));
  }
}

async function withCpu(child: Child, measure: () => Promise<RoundResult>): Promise<Measured> {
  const before = child.cpuMs();
  const result = await measure();
  return { ...result, cpuMs: (child.cpuMs() - before) / result.calls };
}
