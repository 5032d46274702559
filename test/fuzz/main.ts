import { fuzz } from './fuzz.ts';

// npm run fuzz [-- <count> [<seed>]]
const [count = 100_000, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv
  .slice(2)
  .map(Number);

process.stdout.write(`${count} requests and connections, seed ${seed}\n`);
const beganAt = performance.now();
const report = await fuzz({ count, seed });
const seconds = (performance.now() - beganAt) / 1_000;
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n${seconds.toFixed(1)} s\n`);
if (report.slowestMs > 250) {
  process.stdout.write('The slowest answer took more than 250 ms.\n');
  process.exitCode = 1;
}
