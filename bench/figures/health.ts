import { startChild } from '../child.ts';
import { subjectCore } from '../machine.ts';
import { formatRates, measurePairs } from '../pairs.ts';
import type { RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/** GET /health/live, compared with a bare Fastify route with the same answer. */
export async function measureHealth(
  { openGateway, callers }: World,
  scale: Scale,
): Promise<string[]> {
  await using gateway = await openGateway();
  await using bare = startChild({ script: 'bench/processes/bare-fastify.ts', core: subjectCore });
  const { url } = await bare.whenReady<{ url: string }>();
  const round = { seconds: scale.roundSeconds, parallel: 50, requests: ['live'] };

  const pairs = await measurePairs(
    { child: gateway, runRound: () => callers.call<RoundResult>({ ...round, url: gateway.url }) },
    { child: bare, runRound: () => callers.call<RoundResult>({ ...round, url }) },
    scale,
  );
  const { rates, cpuTimes } = formatRates(pairs);
  return [`GET /health/live     ${rates} (goal ≥ 0.7)`, `  CPU time a call    ${cpuTimes}`];
}
