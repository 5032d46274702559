import { openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { expect, test } from 'vitest';

import { temporaryDir } from '../database/homes.ts';
import { findFreePort } from '../free-port.ts';
import { awsAt, pollOften, readyUrl, startService } from '../service-process.ts';
import { region } from '../world.ts';
import { type CliProcess, startCli } from './cli-process.ts';

// The long form is CLI_RESTARTS=100. Every tenth restart is a regular one, the others kill the gateway.
const restarts = Number(process.env.CLI_RESTARTS ?? 3);
const hourMs = 3_600_000;

test(`run --wait ends with the code of the job after ${restarts} restarts of the gateway`, {
  timeout: 1_800_000 + restarts * 30_000,
}, async () => {
  await using emulator = await openEmulator({ rateLimits: 'off', pendingMs: 0, runningMs: hourMs });
  emulator.seed.logGroup({ region, logGroupName: '/app' });
  emulator.seed.bucket({ region, bucket: 'archive' });
  const refusal = {
    code: 'InvalidParameterException',
    message: 'The specified log group is not exportable.',
  };
  emulator.faults.add({ operation: 'CreateExportTask', kind: 'error', skip: 1, ...refusal });
  const settings = {
    ...awsAt(emulator),
    DATA_DIR: temporaryDir(),
    LOG_LEVEL: 'info',
    PORT: String(await findFreePort()),
  };
  let service = startService(settings);
  const url = await readyUrl(service);
  const stop = async (signal: 'SIGTERM' | 'SIGKILL') => {
    service.child.kill(signal);
    await service.ended;
  };
  const start = async () => {
    service = startService(settings);
    await readyUrl(service);
  };
  const returns = ({ stderr }: CliProcess) =>
    stderr().split('The gateway answers again.').length - 1;
  const run = (to: string) =>
    startCli(
      ['run', '/app', '--from', '2024-05-01', '--to', to, '--destination', 'archive', '--wait'],
      { LOG_EXPORT_URL: url },
    );

  await stop('SIGKILL');
  const first = run('2024-05-02');
  await expect.poll(first.stderr, pollOften).toContain('does not answer');
  await start();
  await expect.poll(first.stdout, pollOften).toContain(' running 0/1');
  const second = run('2024-05-03');
  await expect.poll(second.stdout, pollOften).toContain(' waiting 0/1');
  for (let count = 1; count <= restarts; count += 1) {
    const before = [first, second].map(returns);
    await stop(count % 10 === 0 ? 'SIGTERM' : 'SIGKILL');
    await start();
    await expect
      .poll(
        () => [first, second].map((run, index) => returns(run) > (before[index] ?? 0)),
        pollOften,
      )
      .toEqual([true, true]);
  }
  emulator.clock.advance(hourMs);
  const codes = await Promise.all([first.ended, second.ended]);
  const creates = emulator.journal
    .entries()
    .filter(({ operation }) => operation === 'CreateExportTask');

  expect(codes).toEqual([0, 1]);
  expect(first.stdout()).toMatch(/ completed: 1 slice\.\n$/);
  expect(second.stdout()).toContain(' failed: 0 of 1 slice.\n');
  expect(creates).toHaveLength(2);
});
