import { findFreePort } from '../gateway.ts';
import { formatRates, measurePairs } from '../pairs.ts';
import { median, type RoundResult } from '../round.ts';
import type { Scale, World } from '../scale.ts';

/** CreateExportTask while metrics are collected and scraped, compared with a gateway without metrics. */
export async function measureMetrics(
  { openGateway, callers }: World,
  scale: Scale,
): Promise<string[]> {
  const port = await findFreePort();
  await using measured = await openGateway({ env: { METRICS_PORT: String(port) } });
  await using bare = await openGateway();
  const subjectOf = (child: typeof bare) => ({
    child,
    runRound: () =>
      callers.call<RoundResult>({
        seconds: scale.roundSeconds,
        parallel: 50,
        requests: ['create'],
        url: child.url,
      }),
  });
  const lines: string[] = [];
  const scrapes: Scrape[] = [];
  for (const everySeconds of [1, 15]) {
    await using _scraper = startScraper(port, everySeconds, scrapes);
    const pairs = await measurePairs(subjectOf(measured), subjectOf(bare), scale);
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
