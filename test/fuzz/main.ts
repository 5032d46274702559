import { fuzz } from './fuzz.ts';
import { hostileRun } from './hostile.ts';

// Of the pages of files, those that are used all the time; a container takes the others back. Lower, and
// a gateway that would read its own program from disk again and again counts as one that fits.
const workingFilesMib = 32;

// npm run fuzz [-- <count> [<seed>]]
const [count = 100_000, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv
  .slice(2)
  .map(Number);

const say = (text: string) => void process.stdout.write(`${text}\n`);
const refuse = (text: string) => {
  say(text);
  process.exitCode = 1;
};

say(`${count} requests and connections, seed ${seed}`);
await timed(async () => {
  const report = await fuzz({ count, seed });
  say(JSON.stringify(report, undefined, 2));
  if (report.slowestMs > 250) refuse('The slowest answer took more than 250 ms.');
});

say(`${count} hostile requests to a gateway in a process of its own`);
await timed(async () => {
  const report = await hostileRun({ count, seed });
  say(JSON.stringify(report, undefined, 2));
  const { failures, requests, slowestMs, live, peakMib } = report;
  if (failures.length > 0 || requests < count) refuse('Not every answer was a proper one.');
  if (slowestMs > 250) refuse('The slowest answer took more than 250 ms.');
  if (live.slowestMs > 100 || live.failures > 0) refuse('/health/live took more than 100 ms.');
  if (peakMib.anonymous + workingFilesMib > 192) {
    refuse('The memory does not fit into a container of 192 MiB.');
  }
});

async function timed(run: () => Promise<void>): Promise<void> {
  const beganAt = performance.now();
  await run();
  say(`${((performance.now() - beganAt) / 1_000).toFixed(1)} s`);
}
