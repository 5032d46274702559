import { parseArgs } from 'node:util';

import { openPostgres } from '../postgres.ts';
import { makeRandom } from '../random.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';
import { type TableRow, writeTable } from './table.ts';

// npm run chaos [-- [--scale 0.05] [--lanes 2] [--seed 1] [--old REVISION] [name of a scenario …]]
const { values, positionals } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '2' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    old: { type: 'string' },
  },
  allowPositionals: true,
});
const scale = Number(values.scale);
const lanes = Number(values.lanes);
const seed = Number(values.seed);
const names = [...new Set(scenarios.map(({ name }) => name))];
const print = (text: string) => process.stdout.write(`${text}\n`);

if (
  !positionals.every((name) => names.includes(name)) ||
  !(scale > 0) ||
  !(lanes >= 1) ||
  Number.isNaN(seed)
) {
  print(
    `npm run chaos -- [--scale 0.05] [--lanes 2] [--seed 1] [--old REVISION] [${names.join('] [')}]`,
  );
  process.exit(2);
}

const stop = new AbortController();
const shutdownTimeoutMs = 20_000;
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    print('Stopping.');
    stop.abort();
    setTimeout(() => process.exit(1), shutdownTimeoutMs).unref(); // this ends the replicas, too
  });
}

// Both start before any scenario: starting one blocks this process for seconds.
await using server = await openPostgres();
await using ownServer = await openPostgres();
const chosen = scenarios.filter(
  ({ name }) => positionals.length === 0 || positionals.includes(name),
);
print(`seed ${seed}, scale ${scale}, ${lanes} at a time`);
const rows: TableRow[] = [];
const waiting = [...chosen];
await Promise.all(Array.from({ length: lanes }, runLane));
rows.sort((one, other) => chosen.indexOf(one.scenario) - chosen.indexOf(other.scenario));
print(`\n${writeTable(rows)}`);
if (stop.signal.aborted || rows.some(({ violations }) => violations.length > 0)) {
  process.exitCode = 1;
}

/** Runs one scenario after another. Each has its own replicas, emulator and database. */
async function runLane(): Promise<void> {
  for (let next = waiting.shift(); next && !stop.signal.aborted; next = waiting.shift()) {
    rows.push(...(await runScenario(next).catch(ignoreWhenStopped)));
  }
}

function ignoreWhenStopped(error: unknown): TableRow[] {
  if (!stop.signal.aborted) throw error;
  return [];
}

async function runScenario(scenario: Scenario): Promise<TableRow[]> {
  const { name, variant, count: fullCount, run } = scenario;
  const title = variant === undefined ? name : `${name}: ${variant}`;
  const count = Math.max(1, Math.round(fullCount * scale));
  const beganAt = performance.now();
  const report = await run({
    serverUrl: server.url,
    ownServer,
    count,
    signal: stop.signal,
    random: makeRandom(seed),
    oldRevision: values.old,
    onProgress: makeProgress(title, count),
  });
  const seconds = (performance.now() - beganAt) / 1_000;
  for (const { invariant, kind, text } of report.violations) print(`${invariant} ${kind}: ${text}`);
  for (const note of report.notes ?? []) print(`${title}: ${note}`);
  if (report.logPath) print(`The log of the replicas is ${report.logPath}`);
  print(`${title}: ${seconds.toFixed(0)} s, ${report.violations.length} violations`);
  return [{ ...report, scenario, title, seconds }];
}

/** Prints the progress of a scenario at every tenth. */
function makeProgress(title: string, count: number): (done: number) => void {
  let printedTenths = 0;
  return (done) => {
    const tenths = Math.floor((10 * done) / count);
    if (tenths > printedTenths && tenths < 10) print(`${title}: ${done} of ${count}`);
    printedTenths = Math.max(printedTenths, tenths);
  };
}
