import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Emulator } from 'cloudwatch-logs-export-emulator/source';
import { expect, onTestFinished } from 'vitest';

import packageJson from '../package.json' with { type: 'json' };
import { temporaryDir } from './database/homes.ts';
import { nodeEnvironment } from './node-environment.ts';
import { quietMachine } from './quiet-machine.ts';
import { region } from './world.ts';

/** The service in a process of its own. */
export interface ServiceProcess {
  child: ChildProcess;
  /** Its output so far. */
  stdout: () => string;
  stderr: () => string;
  /** The entries of its log so far. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into lines of every shape
  lines: () => any[];
  /** Resolves with its exit code. */
  ended: Promise<number | null>;
}

/** The environment that points a process at the emulator. */
export function awsAt(emulator: Emulator): Record<string, string> {
  return {
    AWS_REGION: region,
    AWS_ENDPOINT_URL: emulator.url,
    AWS_ACCESS_KEY_ID: 'AKIDTEST',
    AWS_SECRET_ACCESS_KEY: 'secret-of-the-test',
  };
}

// Node, its flags, the script.
const startFlags = packageJson.scripts.start.split(' ').slice(1, -1);

/** Starts the service with the flags of `npm start`, which limit its memory. */
export function startLimitedService(env: Record<string, string>): ServiceProcess {
  // The compile cache has no code for these flags. A process that fills it can hang in its exit: see decision 19.
  return startService({ NODE_DISABLE_COMPILE_CACHE: '1', ...env }, startFlags);
}

/**
 * Starts the service with these variables and none of this machine's. A busy machine does not make it shed requests,
 * or reach a time limit that own-time.ts covers.
 * Its output is not read if `stdoutFd` is given.
 */
export function startService(
  env: Record<string, string>,
  flags: readonly string[] = [],
  stdoutFd?: number,
): ServiceProcess {
  const child = spawn(process.execPath, [...flags, ...quietMachine, 'src/bin/main.ts'], {
    env: { ...nodeEnvironment(), PORT: '0', DATA_DIR: temporaryDir(), ...env },
    stdio: ['ignore', stdoutFd ?? 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const lines = () =>
    stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  return { child, stdout: () => stdout, stderr: () => stderr, lines, ended };
}

/** The poll interval for output of another process, in milliseconds. */
export const pollOften = { interval: 20 };

/** Waits until the service is ready. Returns its URL. */
export async function readyUrl({ stdout, lines }: ServiceProcess): Promise<string> {
  await expect.poll(stdout, pollOften).toContain('"msg":"ready"');
  return lines().find(({ msg }) => msg === 'listening').url;
}
