import { startChild } from '../child.ts';
import { awsEnvironment, startGateway } from '../gateway.ts';
import { subjectCore } from '../machine.ts';
import { median, type RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

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
  const { url } = gateway;
  const askGateway = (round: object) =>
    callers.ask<RoundResult>({ ...round, url, requests: ['create'] });
  const askSdk = (round: object) => sdk.ask<RoundResult>(round);
  const seconds = scale.roundSeconds;

  const busy: number[] = [];
  const many = await inTurn(scale.rounds, 50);
  const one = await inTurn(scale.rounds, 1);
  const of = (rounds: Pair[], read: (pair: Pair) => number) => median(rounds.map(read));
  return [
    `create, 50 at once   gateway ${of(many, (r) => r.gateway.callsPerSecond).toFixed(0)}/s, bare SDK ${of(many, (r) => r.sdk.callsPerSecond).toFixed(0)}/s, ratio ${of(many, (r) => r.gateway.callsPerSecond / r.sdk.callsPerSecond).toFixed(2)} (goal ≥ 0.85)`,
    `                     core of AWS and callers busy at most ${(100 * Math.max(...busy)).toFixed(0)} %`,
    `create, one at once  gateway ${of(one, (r) => r.gateway.medianMs).toFixed(2)} ms, bare SDK ${of(one, (r) => r.sdk.medianMs).toFixed(2)} ms, added ${of(one, (r) => r.gateway.medianMs - r.sdk.medianMs).toFixed(2)} ms (goal ≤ 0.5)`,
  ];

  type Pair = { gateway: RoundResult; sdk: RoundResult };
  async function inTurn(rounds: number, parallel: number): Promise<Pair[]> {
    await askGateway({ seconds, parallel }); // warm-up
    await askSdk({ seconds, parallel });
    const pairs: Pair[] = [];
    for (let round = 0; round < rounds; round++) {
      const before = aws.cpuMs() + callers.cpuMs();
      const gatewayResult = await askGateway({ seconds, parallel });
      busy.push((aws.cpuMs() + callers.cpuMs() - before) / (seconds * 1_000));
      pairs.push({ gateway: gatewayResult, sdk: await askSdk({ seconds, parallel }) });
    }
    return pairs;
  }
}
