import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, onTestFinished, test } from 'vitest';

import { findFreePort } from '../free-port.ts';
import { awsAt, pollOften, readyUrl, startService } from '../service-process.ts';

/** Opens a file that takes no byte, as on a full disk. */
function openFull(): number {
  const fd = openSync('/dev/full', 'a');
  onTestFinished(() => closeSync(fd));
  return fd;
}

describe('a process whose stdout is full', () => {
  test.each([
    ['without the end of its log', 'process.exit(3);'],
    ['after the end of its log', 'await log.close(); process.exit(3);'],
    ['by itself', 'process.exitCode = 3;'],
  ])('goes on, and exits %s', async (_, end) => {
    const script = `
      import { setTimeout as sleep } from 'node:timers/promises';
      import { openLogDestination } from '#telemetry/logger.ts';
      const log = await openLogDestination(false);
      for (let turn = 0; turn < 20; turn += 1) {
        for (let line = 0; line < 100; line += 1) log.write('x'.repeat(100) + '\\n');
        await sleep(1);
      }
      process.stderr.write('goes on\\n');
      ${end}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', openFull(), 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));

    const [said, [code]] = await Promise.all([
      text(child.stderr as NonNullable<typeof child.stderr>),
      once(child, 'exit'),
    ]);

    expect([said, code]).toEqual(['goes on\n', 3]);
  });

  test('serves, counts the failure of its log, and stops with code 0', async () => {
    await using emulator = await openEmulator();
    const [port, metricsPort] = [await findFreePort(), await findFreePort()];
    const env = { ...awsAt(emulator), PORT: String(port), METRICS_PORT: String(metricsPort) };
    const run = startService(env, [], openFull());
    const statusOf = (path: string) =>
      fetch(`http://127.0.0.1:${port}${path}`).then(
        ({ status }) => status,
        () => undefined,
      );

    await expect.poll(() => statusOf('/health/ready'), pollOften).toBe(200);
    const statuses = [];
    for (let request = 0; request < 40; request += 1) statuses.push(await statusOf('/targets'));
    const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    run.child.kill('SIGTERM');

    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(metrics).toMatch(/\nlog_export_log_failed_age_seconds \d/);
    expect(await run.ended).toBe(0);
  });

  test('exits with code 1 if the start fails', async () => {
    const run = startService(
      { AWS_REGION: 'eu-west-1', AUDIT_LOG: '/dev/null/audit' },
      [],
      openFull(),
    );

    expect(await run.ended).toBe(1);
    expect(run.stderr()).toContain('AUDIT_LOG is');
  });
});

test('a process that ends at once after two unexpected errors has both on stderr', async () => {
  await using emulator = await openEmulator();
  const fail = 'Promise.reject(new Error("the first")), Promise.reject(new Error("the second"))';
  const preload = `data:text/javascript,process.on('SIGWINCH', () => { ${fail}; });`;
  const run = startService(awsAt(emulator), ['--import', preload]);
  await readyUrl(run);

  run.child.kill('SIGWINCH');

  expect(await run.ended).toBe(1);
  for (const words of ['Error: the first', 'Error: the second']) {
    expect(run.stderr()).toContain(words);
  }
});
