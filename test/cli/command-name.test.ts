import { spawnSync } from 'node:child_process';
import { mkdtempDisposableSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

import { commandNameOf } from '#command-name.ts';
import { memoryFolder } from '../memory-folder.ts';
import { nodeEnvironment } from '../node-environment.ts';
import { runCli } from './run-cli.ts';

const script = '/home/me/clone/src/bin/log-export.ts';

/** Returns the words for a process. Default: `node src/bin/log-export.ts`, in the clone. */
const nameOf = (changes: Partial<Parameters<typeof commandNameOf>[1]> = {}) =>
  commandNameOf('log-export', {
    argv0: 'node',
    argv: ['/usr/bin/node', script, 'jobs'],
    execArgv: [],
    env: { PATH: '/usr/bin:/home/me/bin/' },
    cwd: () => '/home/me/clone',
    ...changes,
  });

describe('the words that start the command line again', () => {
  test('are those of npx after npx and npm run', () => {
    const env = { npm_command: 'run' };

    expect(nameOf({ env })).toBe('npx log-export');
    expect(nameOf({ env: { npm_command: 'exec' } })).toBe('npx log-export');
  });

  test('are the name of a command on the PATH, and the path of any other', () => {
    const at = (path: string) => nameOf({ argv: ['/usr/bin/node', path] });

    expect(at('/home/me/bin/log-export')).toBe('log-export');
    expect(at('/opt/log-export')).toBe('node /opt/log-export');
  });

  test('are the name of a command on the PATH also in a script of another npm project', () => {
    const env = { npm_command: 'run-script', PATH: '/home/other/node_modules/.bin:/home/me/bin' };
    const at = (path: string) => nameOf({ env, argv: ['/usr/bin/node', path] });

    expect(at('/home/me/bin/log-export')).toBe('log-export');
    expect(at('/home/other/node_modules/.bin/log-export')).toBe('npx log-export');
  });

  test('are Node with its options and the path of the script', () => {
    expect(nameOf()).toBe('node src/bin/log-export.ts');
    expect(nameOf({ cwd: () => '/home' })).toBe('node me/clone/src/bin/log-export.ts');
    expect(nameOf({ cwd: () => '/tmp' })).toBe(`node ${script}`);
    expect(nameOf({ argv0: '/opt/node', execArgv: ['--use-system-ca'] })).toBe(
      '/opt/node --use-system-ca src/bin/log-export.ts',
    );
  });

  test('are quoted for a shell', () => {
    const argv = ['/usr/bin/node', "/My Team's/log-export.ts"];

    expect(nameOf({ argv })).toBe("node '/My Team'\\''s/log-export.ts'");
  });
});

/** Runs a line in bash. */
function runInShell(line: string, cwd: string, env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync('bash', ['--norc', '-c', line], {
    cwd,
    env: { ...nodeEnvironment(), ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('the command of an error runs when it is pasted, as it was called', () => {
  using folder = mkdtempDisposableSync(join(memoryFolder, 'command-name-'));
  const source = resolve('src/bin/log-export.ts');
  symlinkSync(source, join(folder.path, 'log-export'));
  symlinkSync(process.execPath, join(folder.path, 'node'));
  const env = { PATH: `${folder.path}:${nodeEnvironment().PATH}` };
  const calls: [line: string, cwd: string][] = [
    ['log-export', '/'],
    ['node src/bin/log-export.ts', '.'],
    [`node ${source}`, folder.path],
  ];

  for (const [line, cwd] of calls) {
    const { stderr } = runInShell(`${line} show`, cwd, env);
    const [, pasted = ''] = /Try: (.*)$/m.exec(stderr) ?? [];

    expect(pasted).toBe(`${line} help show`);
    expect(runInShell(pasted, cwd, env)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`Usage: ${line} show`),
    });
  }
});

test('a command to copy is one line, also on a narrow terminal', async () => {
  const commandName = 'node /home/me/log-export-gateway/src/bin/log-export.ts';

  const { stderr } = await runCli('show', { commandName, columns: 40 });

  expect(stderr).toBe(`log-export: An argument is missing. Try: ${commandName} help show\n`);
});
