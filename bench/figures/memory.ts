import { startGateway } from '../gateway.ts';
import type { RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/** How much more memory is resident after many requests of every kind. */
export async function measureMemory({ awsUrl, callers }: World, scale: Scale): Promise<string[]> {
  await using gateway = await startGateway(awsUrl);
  const before = gateway.residentMib();
  let made = 0;
  while (made < scale.requests) {
    const { callsPerSecond } = await callers.ask<RoundResult>({
      url: gateway.url,
      requests: ['create', 'show', 'list', 'live'],
      seconds: scale.roundSeconds,
      parallel: 50,
    });
    made += callsPerSecond * scale.roundSeconds;
  }
  const grown = gateway.residentMib() - before;
  return [
    `memory after use     ${grown.toFixed(0)} MiB more resident after ${made.toFixed(0)} requests (goal ≤ 40)`,
  ];
}
