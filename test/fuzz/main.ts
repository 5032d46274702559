import { fuzz } from './fuzz.ts';
import { runHostile } from './hostile.ts';

// The file pages that are in constant use. A container can reclaim the others. Lower: a gateway that has to
// read its own program from disk again and again counts as small enough.
const workingFilesMib = 32;

// The share of hostile requests that may be shed. Lower: a short burst counts as a fault. Higher: a gateway that
// refuses most requests passes.
const maxShedShare = 0.05;

// npm run fuzz [-- <count> [<seed>]]
const [count = 100_000, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv
  .slice(2)
  .map(Number);

const print = (text: string) => void process.stdout.write(`${text}\n`);
const fail = (text: string) => {
  print(text);
  process.exitCode = 1;
};

print(`${count} requests and connections, seed ${seed}`);
await timed(async () => {
  const report = await fuzz({ count, seed });
  print(JSON.stringify(report, undefined, 2));
  if (report.slowestMs > 250) fail('The slowest answer took more than 250 ms.');
});

print(`${count} hostile requests to a gateway in a process of its own`);
await timed(async () => {
  const report = await runHostile({ count, seed });
  print(JSON.stringify(report, undefined, 2));
  const { failures, requests, shedShare, slowestMs, live, peakMib } = report;
  if (failures.length > 0 || requests < count) fail('Some requests failed.');
  if (shedShare > maxShedShare) fail('Too many requests were shed.');
  if (slowestMs > 250) fail('The slowest answer took more than 250 ms.');
  if (live.slowestMs > 100 || live.failures > 0) fail('/health/live took more than 100 ms.');
  if (peakMib.anonymous + workingFilesMib > 192) {
    fail('The memory does not fit into a container of 192 MiB.');
  }
});

async function timed(run: () => Promise<void>): Promise<void> {
  const beganAt = performance.now();
  await run();
  print(`${((performance.now() - beganAt) / 1_000).toFixed(1)} s`);
}
