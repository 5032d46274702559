import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { commandTable } from '#cli/command-table.ts';
import { memoryFolder } from '../memory-folder.ts';
import { nodeEnvironment } from '../node-environment.ts';
import { runCli } from './run-cli.ts';

/** Returns what bash offers after these words; the last one is incomplete. */
async function completeInBash(...words: string[]): Promise<string[]> {
  const { stdout: script } = await runCli('completion bash');
  const { stdout, stderr, status } = spawnSync(
    'bash',
    [
      '--norc',
      '-euc',
      `eval "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _log_export; printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      script,
      'log-export',
      ...words,
    ],
    { encoding: 'utf8' },
  );
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return stdout.trim().split('\n');
}

describe('completion in bash', () => {
  test('offers all commands', async () => {
    expect(await completeInBash('')).toEqual(['help', ...Object.keys(commandTable)]);
    expect(await completeInBash('help', 'pr')).toEqual(['preflight', 'problems']);
  });

  test.each([
    [['wat'], ['watch']],
    [
      ['run', '--de'],
      ['--destination', '--destination-prefix'],
    ],
    [
      ['run', '--slice-by', ''],
      ['none', '15-minutes', 'hour', 'day', 'week', 'month'],
    ],
    [
      ['jobs', '--state', 'c'],
      ['cancelling', 'completed', 'cancelled'],
    ],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['show', '-'],
      ['--json', '--help'],
    ],
  ])('offers for %j: %j', async (words, offered) => {
    expect(await completeInBash(...words)).toEqual(offered);
  });
});

test('the setup of the documentation completes the linked command in bash', () => {
  using home = mkdtempDisposableSync(join(memoryFolder, 'home-'));
  const bin = join(home.path, '.local/bin');
  mkdirSync(bin, { recursive: true });
  const guide = readFileSync('docs/cli.md', 'utf8');
  const [, link = ''] = /```sh\n(ln -s .*?)```/s.exec(guide) ?? [];
  const [, completion = ''] = /```sh\n(eval .*?)```/s.exec(guide) ?? [];
  const setup = link + completion;
  const here = setup.replace('$HOME/log-export-gateway', process.cwd());

  const { stdout, stderr } = spawnSync(
    'bash',
    ['--norc', '-c', `${here}\nlog-export --version; complete -p log-export`],
    {
      encoding: 'utf8',
      env: { ...nodeEnvironment(), HOME: home.path, PATH: `${bin}:${process.env.PATH}` },
    },
  );

  expect(here).not.toBe(setup);
  expect({ stdout, stderr }).toEqual({
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\ncomplete .*-F _log_export log-export\n$/),
    stderr: '',
  });
});

const isInstalled = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

/** Lets a shell parse a script, without running it. */
function parse(shell: string, script: string) {
  using folder = mkdtempDisposableSync(join(memoryFolder, 'completion-'));
  const file = join(folder.path, 'script');
  writeFileSync(file, script);
  return spawnSync(shell, ['-n', file], { encoding: 'utf8' });
}

test.each(['bash', 'zsh', 'fish'])(
  '%s accepts its script, where it is installed',
  async (shell) => {
    const { code, stdout } = await runCli(`completion ${shell}`);

    expect(code).toBe(0);
    for (const name of Object.keys(commandTable)) expect(stdout).toContain(name);
    if (isInstalled(shell)) expect(parse(shell, stdout)).toMatchObject({ status: 0, stderr: '' });
  },
);
