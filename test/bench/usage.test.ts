import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';

import { usageOf } from '../../bench/child.ts';

const script = `
  process.on('message', () => {
    for (const from = process.cpuUsage(); process.cpuUsage(from).user < 1_000; );
  });
  process.send('ready');`;

test('a millisecond of CPU time is seen, however rarely the system counts', async () => {
  const child = spawn(process.execPath, ['--eval', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const { cpuMs } = usageOf(child.pid ?? 0);
  await once(child, 'message'); // its start takes more

  for (let round = 0; round < 5; round += 1) {
    const before = cpuMs();
    child.send('work');
    await expect.poll(() => cpuMs() - before, { interval: 5 }).toBeGreaterThan(0.9);
  }
});
