import { startGateway } from '../gateway.ts';
import { median } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/** The time from the start of the process to ready, including STS, and its memory then. */
export async function measureStart({ awsUrl }: World, scale: Scale): Promise<string[]> {
  const warm: Start[] = [];
  const cold: Start[] = [];
  for (let start = 0; start < scale.starts; start++) {
    warm.push(await startOnce(awsUrl, true));
    cold.push(await startOnce(awsUrl, false));
  }
  return [
    `start to ready       ${format(warm, 'startMs')} ms (goal ≤ 600), without compile cache ${format(cold, 'startMs')} ms`,
    `memory when ready    ${format(warm, 'residentMib')} MiB resident (goal ≤ 110), without compile cache ${format(cold, 'residentMib')} MiB`,
  ];
}

interface Start {
  startMs: number;
  residentMib: number;
}

async function startOnce(awsUrl: string, isCompileCacheUsed: boolean): Promise<Start> {
  await using gateway = await startGateway(awsUrl, { isCompileCacheUsed });
  return { startMs: gateway.startMs, residentMib: gateway.residentMib() };
}

function format(starts: Start[], member: keyof Start): string {
  return median(starts.map((start) => start[member])).toFixed(0);
}
