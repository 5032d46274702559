import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';

import { quietMachine } from './quiet-machine.ts';

// The test turns the time in which the process runs or waits for others. Its limits are over in real time.
const script = `
  import { setTimeout as wait } from 'node:timers/promises';
  import { promisify } from 'node:util';
  const over = [];
  setTimeout((name) => over.push(name), 150, 'timer');
  const refreshed = setTimeout(() => over.push('refreshed timer'), 150);
  const stopped = setTimeout(() => over.push('stopped timer'), 150);
  wait(150, 'wait').then((name) => over.push(name));
  promisify(setTimeout)(150, 'promise of a timer').then((name) => over.push(name));
  const turns = async () => { for (let left = 10; left > 0; left -= 1) await wait(90); };
  const seen = [];
  await turns();
  seen.push([...over]);
  clearTimeout(stopped);
  globalThis.passedMs = 149;
  refreshed.refresh();
  await turns();
  seen.push([...over].sort());
  globalThis.passedMs = 298;
  await turns();
  seen.push([...over].sort());
  process.stdout.write(JSON.stringify(seen));
`;
const clock = `data:text/javascript,
  import { performance } from 'node:perf_hooks';
  globalThis.passedMs = 0;
  process.cpuUsage = () => ({ user: 0, system: 0 });
  performance.eventLoopUtilization = () => ({ idle: globalThis.passedMs });`;

test('a limit is over when the process has run or waited for others during most of it', async () => {
  const flags = ['--import', clock, ...quietMachine, '--input-type=module', '--eval', script];
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));

  const [atFirst, afterOne, afterTwo] = JSON.parse(await text(child.stdout));

  const others = ['promise of a timer', 'timer', 'wait'];
  expect([atFirst, afterOne, afterTwo]).toEqual([
    [],
    others,
    ['promise of a timer', 'refreshed timer', 'timer', 'wait'],
  ]);
});
