import { startChild } from '../child.ts';
import { startGateway } from '../gateway.ts';
import { subjectCore } from '../machine.ts';
import { measurePairs, tellRates } from '../pairs.ts';
import type { RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/** GET /health/live against a bare Fastify route with the same answer. */
export async function measureHealth({ awsUrl, callers }: World, scale: Scale): Promise<string[]> {
  await using gateway = await startGateway(awsUrl);
  await using bare = startChild({ script: 'bench/processes/bare-fastify.ts', core: subjectCore });
  const { url } = await bare.hello<{ url: string }>();
  const round = { seconds: scale.roundSeconds, parallel: 50, requests: ['live'] };

  const pairs = await measurePairs(
    { child: gateway, makeRound: () => callers.ask<RoundResult>({ ...round, url: gateway.url }) },
    { child: bare, makeRound: () => callers.ask<RoundResult>({ ...round, url }) },
    scale,
  );
  const { rates, cpuTimes } = tellRates(pairs);
  return [`GET /health/live     ${rates} (goal ≥ 0.7)`, `  CPU time a call    ${cpuTimes}`];
}
