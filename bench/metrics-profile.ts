import type { HeapProfiler, Profiler } from 'node:inspector';

/** The shares of the metrics in what V8 has sampled, from 0 to 1. */
interface MetricsShares {
  observations: number;
  scrapes: number;
}

/** A function of a profile, as it was called by others. */
interface Frame {
  name: string;
  url: string;
  weight: number;
  called: Frame[];
}

/** The files that only scrapes use, and what the scrapes make the database read. */
const scrapeFiles =
  /telemetry\/metrics\/(?:listener|open-metrics|figures)\.ts|client\/lib\/registry\.js|\/read-(?:open-slices|archive-figures|figures)\.ts/;
const observationFiles = /telemetry\/metrics\//;

/**
 * Reads the shares of CPU time, with those of garbage collection. Of that, metrics have their share of the allocated
 * bytes.
 */
export function readShares(
  { nodes }: Profiler.Profile,
  { head }: HeapProfiler.SamplingHeapProfile,
): MetricsShares {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const toFrame = ({ callFrame, hitCount = 0, children = [] }: Profiler.ProfileNode): Frame => ({
    name: callFrame.functionName,
    url: callFrame.url,
    weight: hitCount,
    called: children.flatMap((id) => byId.get(id) ?? []).map(toFrame),
  });
  const times = sumUp(nodes.slice(0, 1).map(toFrame));
  const bytes = sumUp([head].map(toAllocation));
  const shareOf = (part: keyof MetricsShares) =>
    (times[part] + (times.garbage * bytes[part]) / bytes.all) / times.all;
  return { observations: shareOf('observations'), scrapes: shareOf('scrapes') };
}

function toAllocation({
  callFrame,
  selfSize,
  children,
}: HeapProfiler.SamplingHeapProfileNode): Frame {
  const { functionName: name, url } = callFrame;
  return { name, url, weight: selfSize, called: children.map(toAllocation) };
}

function sumUp(roots: Frame[]) {
  const sums = { observations: 0, scrapes: 0, garbage: 0, all: 0 };
  const add = ({ name, url, weight, called }: Frame, within?: keyof MetricsShares): void => {
    if (name === '(idle)') return;
    const isScrape = within === 'scrapes' || scrapeFiles.test(url);
    const part = isScrape ? 'scrapes' : observationFiles.test(url) ? 'observations' : within;
    sums.all += weight;
    if (part) sums[part] += weight;
    if (name === '(garbage collector)') sums.garbage += weight;
    for (const frame of called) add(frame, part);
  };
  for (const frame of roots) add(frame);
  return sums;
}
