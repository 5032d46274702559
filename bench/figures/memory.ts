import type { RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/** The growth of resident memory after many requests of every kind. */
export async function measureMemory(
  { openGateway, callers }: World,
  scale: Scale,
): Promise<string[]> {
  await using gateway = await openGateway();
  const before = gateway.residentMib();
  let sent = 0;
  while (sent < scale.requests) {
    const { callsPerSecond } = await callers.call<RoundResult>({
      url: gateway.url,
      requests: ['create', 'read', 'list', 'live'],
      seconds: scale.roundSeconds,
      parallel: 50,
    });
    sent += callsPerSecond * scale.roundSeconds;
  }
  const grown = gateway.residentMib() - before;
  return [
    `memory after use     ${grown.toFixed(0)} MiB more resident after ${sent.toFixed(0)} requests (goal ≤ 40)`,
  ];
}
