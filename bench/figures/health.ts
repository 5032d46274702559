import { startChild } from '../child.ts';
import { startGateway } from '../gateway.ts';
import { subjectCore } from '../machine.ts';
import { median, type RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/** GET /health/live against a bare Fastify route with the same answer. */
export async function measureHealth(world: World, scale: Scale): Promise<string[]> {
  await using gateway = await startGateway(world.awsUrl);
  await using bare = startChild({ script: 'bench/processes/bare-fastify.ts', core: subjectCore });
  const { url } = await bare.hello<{ url: string }>();
  const ask = (at: string) =>
    world.callers.ask<RoundResult>({
      url: at,
      requests: ['live'],
      seconds: scale.roundSeconds,
      parallel: 50,
    });

  const pairs: { gateway: number; bare: number }[] = [];
  for (let round = -scale.warmUps; round < scale.rounds; round++) {
    const pair = {
      gateway: (await ask(gateway.url)).callsPerSecond,
      bare: (await ask(url)).callsPerSecond,
    };
    if (round >= 0) pairs.push(pair);
  }
  const of = (read: (pair: { gateway: number; bare: number }) => number) => median(pairs.map(read));
  return [
    `GET /health/live     gateway ${of((r) => r.gateway).toFixed(0)}/s, bare Fastify ${of((r) => r.bare).toFixed(0)}/s, ratio ${of((r) => r.gateway / r.bare).toFixed(2)} (goal ≥ 0.7)`,
  ];
}
