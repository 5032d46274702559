import { type Child, startChild } from '../child.ts';
import { awsEnvironment } from '../gateway.ts';
import { subjectCore } from '../machine.ts';
import { formatRates, measurePairs, medianOf } from '../pairs.ts';
import type { Round, RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/** CreateExportTask through the gateway, compared with the bare SDK: calls per second, and added latency. */
export async function measureCalls(world: World, scale: Scale): Promise<string[]> {
  const { aws, awsUrl, callers } = world;
  await using gateway = await world.openGateway();
  await using sdk = startChild({
    script: 'bench/processes/bare-sdk.ts',
    core: subjectCore,
    env: awsEnvironment(awsUrl),
  });
  await sdk.whenReady();
  await using proxy = startChild({
    script: 'bench/processes/bare-proxy.ts',
    core: subjectCore,
    env: awsEnvironment(awsUrl),
  });
  const { url: proxyUrl } = await proxy.whenReady<{ url: string }>();
  const supportLoads: number[] = [];

  const callSdk = (round: Round) => sdk.call<RoundResult>(round);
  const callProxy = (round: Round) =>
    callers.call<RoundResult>({ ...round, url: proxyUrl, requests: ['create'] });
  const { rates, cpuTimes } = formatRates(await measureAtOnce(50, sdk, callSdk));
  const { rates: ratesOfProxy } = formatRates(await measureAtOnce(50, proxy, callProxy));
  const one = await measureAtOnce(1, sdk, callSdk);
  const gatewayMs = medianOf(one, (pair) => pair.gateway.medianMs);
  const sdkMs = medianOf(one, (pair) => pair.bare.medianMs);
  const addedMs = medianOf(one, (pair) => pair.gateway.medianMs - pair.bare.medianMs);
  return [
    `create, 50 at once   ${rates} (goal ≥ 0.85)`,
    `  CPU time a call    ${cpuTimes}`,
    `  through node:http  ${ratesOfProxy}`,
    `  AWS and callers    ${(100 * Math.max(...supportLoads)).toFixed(0)} % of their core at most`,
    `create, one at once  gateway ${gatewayMs.toFixed(2)} ms, bare ${sdkMs.toFixed(2)} ms, added ${addedMs.toFixed(2)} ms (goal ≤ 0.5)`,
  ];

  function measureAtOnce(
    parallel: number,
    child: Child,
    runBareRound: (round: Round) => Promise<RoundResult>,
  ) {
    const round = { seconds: scale.roundSeconds, parallel };
    const viaGateway = { ...round, url: gateway.url, requests: ['create'] };
    return measurePairs(
      {
        child: gateway,
        async runRound() {
          const before = aws.cpuMs() + callers.cpuMs();
          const result = await callers.call<RoundResult>(viaGateway);
          const usedMs = aws.cpuMs() + callers.cpuMs() - before;
          supportLoads.push(usedMs / (scale.roundSeconds * 1_000));
          return result;
        },
      },
      { child, runRound: () => runBareRound(round) },
      scale,
    );
  }
}
