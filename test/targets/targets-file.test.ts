import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openEmulator } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { readConfig } from '#config/read-config.ts';
import { openGateway } from '#open-gateway.ts';
import type { TargetSettings } from '#targets/target.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { temporaryDir } from '../database/homes.ts';
import { readIdleLoop } from '../read-idle-loop.ts';
import { awsAt, pollOften, readyUrl, startService } from '../service-process.ts';
import { type LogLine, openWorld, region } from '../world.ts';

readIdleLoop();

const first = { name: 'first', region };
const second = { name: 'second', region: 'us-east-1' };

/** Opens the gateway with a file of targets, in front of the emulator of a world. */
async function openWithFile(env: NodeJS.ProcessEnv = {}, target: TargetSettings = first) {
  const path = join(temporaryDir(), 'targets.json');
  const write = (targets: TargetSettings[] | string) =>
    writeFileSync(path, typeof targets === 'string' ? targets : JSON.stringify(targets));
  write([target]);
  const log: LogLine[] = [];
  const gateway = await openGateway({
    config: readConfig(
      { TARGETS_FILE: path, PORT: '0', DATA_DIR: temporaryDir(), AUDIT_LOG: '/dev/null', ...env },
      (file) => readFileSync(file, 'utf8'),
    ),
    log: makeLogger('info', { write: (line: string) => void log.push(JSON.parse(line)) }),
    lameDuckMs: 0,
  });
  await gateway.ready;
  const states = async () => {
    const { targets } = (await (await fetch(`${gateway.url}/targets`)).json()) as {
      targets: { name: string; state: string }[];
    };
    return targets.map(({ name, state }) => `${name}: ${state}`);
  };
  return { gateway, write, states, log, [Symbol.asyncDispose]: () => gateway.close() };
}

describe('TARGETS_FILE', () => {
  test('is read again on request: an added target becomes ready, a removed one disappears', async () => {
    await using _world = await openWorld();
    await using opened = await openWithFile();
    const { gateway, write, states, log } = opened;

    write([second, first]);
    gateway.reload();
    await expect.poll(states, pollOften).toEqual(['second: ready', 'first: ready']);
    write([second]);
    gateway.reload();
    await expect.poll(states, pollOften).toEqual(['second: ready']);

    expect(log.filter(({ what }) => what === 'targets')).toMatchObject([
      { level: 'info', msg: 'reloaded changed files', added: 1, removed: 0, changed: 0 },
      { level: 'info', msg: 'reloaded changed files', added: 0, removed: 1, changed: 0 },
    ]);
  });

  test.each([
    ['no JSON', '[', 'it must be the path of a readable JSON file'],
    ['a byte order mark', '\uFEFF[]', 'it begins with a byte order mark'],
    [
      'an external id with a space',
      [{ ...first, externalId: 'not shown' }],
      '/0/externalId is set, but must be 2 to 1224 of the characters',
    ],
    ['a name twice', [first, first], 'the name "first" occurs twice'],
    ['an unknown member', [{ ...first, color: 'red' }], '"color" is unknown in /0'],
    ['no target', [], 'the file is [], but must be an array of at least one target'],
    [
      'one account and Region twice',
      [
        { ...first, accountId: '123456789012' },
        { ...first, name: 'other', accountId: '123456789012' },
      ],
      'Targets "first" and "other" are both account 123456789012 in eu-west-1',
    ],
    [
      'a role of another partition',
      [{ ...first, roleArn: 'arn:aws-cn:iam::123456789012:role/x' }],
      'Target "first" is in eu-west-1, in the partition aws',
    ],
  ])('changes nothing when it has %s, and the log has an error', async (_what, text, message) => {
    await using _world = await openWorld();
    await using opened = await openWithFile();
    const { gateway, write, states, log } = opened;

    write(text as TargetSettings[]);
    gateway.reload();
    const errors = () => log.filter(({ level }) => level === 'error');
    await expect.poll(errors, pollOften).toHaveLength(1);

    expect(errors()).toMatchObject([
      {
        what: 'targets',
        err: { message: expect.stringContaining(message) },
        msg: 'failed to reload changed files; the previous version stays active',
      },
    ]);
    expect(await states()).toEqual(['first: ready']);
  });

  test('must have a role for each target on a reload, too, if sessions are scoped', async () => {
    await using _world = await openWorld();
    const roleArn = 'arn:aws:iam::123456789012:role/log-export';
    await using opened = await openWithFile({ SCOPED_SESSIONS: 'on' }, { ...first, roleArn });
    const { gateway, write, states, log } = opened;

    write([first]);
    gateway.reload();
    await expect
      .poll(() => log.filter(({ level }) => level === 'error'), pollOften)
      .toHaveLength(1);

    expect(log.at(-1)).toMatchObject({
      err: { message: expect.stringContaining('target "first" has no role to assume') },
    });
    expect(await states()).toEqual(['first: ready']);
  });
});

test('on SIGHUP, reads the targets again and stays alive', async () => {
  await using emulator = await openEmulator();
  const path = join(temporaryDir(), 'targets.json');
  writeFileSync(path, JSON.stringify([first]));
  const { AWS_REGION: _only, ...aws } = awsAt(emulator);
  const run = startService({ ...aws, TARGETS_FILE: path });
  const url = await readyUrl(run);

  writeFileSync(path, JSON.stringify([first, second]));
  run.child.kill('SIGHUP');
  const show = async () => (await fetch(`${url}/targets/second`)).status;
  await expect.poll(show, pollOften).toBe(200);

  // The look at the file every two seconds may have come first, and the log is read from a pipe.
  await expect.poll(run.stdout, pollOften).toContain('"msg":"reading files again after SIGHUP"');
  expect(run.child.exitCode).toBeNull();
});
