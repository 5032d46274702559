import { findFreePort } from '../../test/free-port.ts';
import type { RunningGateway } from '../gateway.ts';
import { createsAt, formatRates, measurePairs, type Pairs } from '../pairs.ts';
import { median } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/**
 * CreateExportTask while metrics are collected and scraped, compared with a gateway without metrics. Two
 * processes with the same settings differ by up to 8 %. So there are several pairs of processes.
 */
export async function measureMetrics(
  { openGateway, callers }: World,
  scale: Scale,
): Promise<string[]> {
  const subjectOf = (gateway: RunningGateway) => createsAt(gateway, callers, scale.roundSeconds);
  const port = await findFreePort();
  const lines: string[] = [];
  const scrapes: Scrape[] = [];
  for (const everySeconds of [1, 15]) {
    const pairs: Pairs = [];
    for (let start = 0; start < scale.processes; start++) {
      await using measured = await openGateway({ env: { METRICS_PORT: String(port) } });
      await using bare = await openGateway();
      await using _scraper = startScraper(port, everySeconds, scrapes);
      const amounts = { ...scale, rounds: Math.ceil(scale.rounds / scale.processes) };
      pairs.push(...(await measurePairs(subjectOf(measured), subjectOf(bare), amounts)));
    }
    const { rates, cpuTimes } = formatRates(pairs);
    lines.push(
      `create, scraped ${`${everySeconds} s`.padEnd(4)} ${rates} (goal ≥ 0.97)`,
      `  CPU time a call    ${cpuTimes}`,
    );
  }
  const kib = median(scrapes.map(({ bytes }) => bytes)) / 1_024;
  const ms = median(scrapes.map((scrape) => scrape.ms));
  return [...lines, `  scrape             ${kib.toFixed(0)} KiB in ${ms.toFixed(1)} ms`];
}

interface Scrape {
  bytes: number;
  ms: number;
}

/** Scrapes at once and then at an interval, like Prometheus. It ends when it is disposed of. */
function startScraper(port: number, everySeconds: number, scrapes: Scrape[]): AsyncDisposable {
  async function scrape(): Promise<void> {
    const beganAt = performance.now();
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
    const { length } = await answer.text();
    scrapes.push({ bytes: length, ms: performance.now() - beganAt });
  }
  let last = scrape();
  const timer = setInterval(() => {
    last = last.then(scrape);
  }, 1_000 * everySeconds);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await last;
    },
  };
}
