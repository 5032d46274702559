import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';

import { quietMachine } from './quiet-machine.ts';

// The scripts turn the time, and the part of it without a core. A limit of an hour is real: it never ends in a test.
// But it first looks at the time soon, if it starts before any time has passed.
const clock = `
  import fs from 'node:fs';
  import { performance } from 'node:perf_hooks';
  import timers from 'node:timers/promises';
  globalThis.passedMs = 0;
  globalThis.withoutCoreMs = 0;
  performance.now = () => passedMs;
  process.cpuUsage = () => ({ user: 0, system: 0 });
  performance.eventLoopUtilization = () => ({ idle: 0 });
  const { readFileSync } = fs;
  fs.readFileSync = (path, ...options) =>
    path === '/proc/thread-self/schedstat'
      ? '0 ' + withoutCoreMs * 1e6 + ' 0'
      : readFileSync(path, ...options);
  const { setTimeout: start } = globalThis;
  const { setTimeout: wait } = timers;
  const firstMs = (ms) => (ms === 3_600_000 && passedMs === 0 ? 100 : ms);
  globalThis.setTimeout = (act, ms, ...args) =>
    Object.assign(start(act, firstMs(ms), ...args), { _idleTimeout: ms });
  timers.setTimeout = (ms, ...args) => wait(firstMs(ms), ...args);`;

const prelude = `
  import { setTimeout as wait } from 'node:timers/promises';
  import { promisify } from 'node:util';
  const over = [];
  const seen = [];
  const start = (ms) => {
    setTimeout((name) => over.push(name), ms, 'timer');
    wait(ms, 'wait').then((name) => over.push(name));
    promisify(setTimeout)(ms, 'promise of a timer').then((name) => over.push(name));
  };
  const turn = async () => {
    for (let left = 10; left > 0; left -= 1) await wait(90);
    seen.push(over.splice(0).sort());
  };`;
const all = ['promise of a timer', 'timer', 'wait'];

/** Runs a script on a quiet machine. Returns what was over in each of its turns. */
async function run(script: string) {
  const code = `${prelude}${script}; process.stdout.write(JSON.stringify(seen), () => process.exit());`;
  const preloads = [
    '--import',
    `data:text/javascript,${encodeURIComponent(clock)}`,
    ...quietMachine,
  ];
  const flags = ['--disable-warning=TimeoutOverflowWarning', '--input-type=module', '--eval', code];
  const child = spawn(process.execPath, [...preloads, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return JSON.parse(await text(child.stdout));
}

test('the time without a core does not count for a limit', async () => {
  const seen = await run(`
    start(150);
    const stopped = setTimeout(() => over.push('stopped timer'), 150);
    passedMs = withoutCoreMs = 1_000;
    await turn();
    clearTimeout(stopped);
    passedMs += 150;
    await turn();
  `);

  expect(seen).toEqual([[], all]);
});

test('all other time counts, also that of a call that keeps the thread', async () => {
  const seen = await run(`
    start(150);
    passedMs = 150;
    await turn();
  `);

  expect(seen).toEqual([all]);
});

test('an unfinished limit waits only for what is missing', async () => {
  const seen = await run(`
    start(3_600_000);
    passedMs = 3_600_000;
    withoutCoreMs = 1;
    await turn();
    passedMs += 1;
    await turn();
  `);

  expect(seen).toEqual([[], all]);
});

test('a refreshed timer begins anew', async () => {
  const seen = await run(`
    const refreshed = setTimeout(() => over.push('refreshed timer'), 150);
    passedMs = 149;
    await turn();
    refreshed.refresh();
    passedMs = 298;
    await turn();
    passedMs = 299;
    await turn();
    refreshed.refresh();
    await turn();
    passedMs = 449;
    await turn();
  `);

  expect(seen).toEqual([[], [], ['refreshed timer'], [], ['refreshed timer']]);
});

test('a stopped timer stays stopped when it is refreshed', async () => {
  const seen = await run(`
    const stopped = setTimeout(() => over.push('stopped timer'), 150);
    clearTimeout(stopped);
    stopped.refresh();
    over.push(...process.getActiveResourcesInfo().filter((name) => name === 'Timeout'));
    passedMs = 150;
    await turn();
  `);

  expect(seen).toEqual([[]]);
});

test('a limit that is too long for Node lasts a millisecond', async () => {
  const seen = await run(`
    start(2 ** 31);
    await turn();
  `);

  expect(seen).toEqual([all]);
});
