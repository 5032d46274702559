import { makeBundle } from '../bundle.ts';
import { type GatewayOptions, startGateway } from '../gateway.ts';
import { median } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/**
 * The time from the start of the process to ready, including STS, and its memory then. From the sources, and
 * from a bundle as in the image.
 */
export async function measureStart({ awsUrl }: World, scale: Scale): Promise<string[]> {
  if (scale.isBundleMade) await makeBundle(awsUrl);
  const starts: Start[] = [];
  for (let round = 0; round < scale.starts; round++) {
    for (const isBundle of scale.isBundleMade ? [true, false] : [false]) {
      for (const isCompileCacheUsed of [true, false]) {
        starts.push(await startOnce(awsUrl, { isBundle, isCompileCacheUsed }));
      }
    }
  }
  return [
    `start to ready       ${format(starts, 'startMs', 'ms', '(goal ≤ 600)')}`,
    `memory when ready    ${format(starts, 'residentMib', 'MiB', 'resident (goal ≤ 110)')}`,
  ];
}

interface Start {
  options: GatewayOptions;
  startMs: number;
  residentMib: number;
}

async function startOnce(awsUrl: string, options: GatewayOptions): Promise<Start> {
  await using gateway = await startGateway(awsUrl, options);
  return { options, startMs: gateway.startMs, residentMib: gateway.residentMib() };
}

function format(
  starts: Start[],
  member: 'startMs' | 'residentMib',
  unit: string,
  goal: string,
): string {
  /** The median; a dash if there was no such start. */
  function of(isBundle: boolean, isCompileCacheUsed: boolean): string {
    const values = starts
      .filter(({ options }) => options.isBundle === isBundle)
      .filter(({ options }) => options.isCompileCacheUsed === isCompileCacheUsed)
      .map((start) => start[member]);
    return values.length > 0 ? median(values).toFixed(0) : '–';
  }
  return `bundle ${of(true, true)} ${unit} ${goal}, sources ${of(false, true)} ${unit}, without compile cache ${of(true, false)} and ${of(false, false)} ${unit}`;
}
