import { startGateway } from '../gateway.ts';
import { median } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/** From the start of the process until it is ready, STS asked; and what it holds then. */
export async function measureStart({ awsUrl }: World, scale: Scale): Promise<string[]> {
  const startsMs: number[] = [];
  const residentMib: number[] = [];
  for (let start = 0; start < scale.starts; start++) {
    await using gateway = await startGateway(awsUrl);
    startsMs.push(gateway.startMs);
    residentMib.push(gateway.residentMib());
  }
  return [
    `start to ready       ${median(startsMs).toFixed(0)} ms (goal ≤ 600)`,
    `memory when ready    ${median(residentMib).toFixed(0)} MiB resident (goal ≤ 110)`,
  ];
}
