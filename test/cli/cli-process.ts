import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

import { nodeEnvironment } from '../node-environment.ts';

/** The command line in a process of its own. */
export interface CliProcess {
  stdout(): string;
  stderr(): string;
  /** Sends a signal. Default: Ctrl-C. */
  interrupt(signal?: 'SIGINT' | 'SIGTERM'): void;
  /** Resolves with its exit code. */
  ended: Promise<number | null>;
}

/** Starts a command with these variables and none of this machine's. */
export function startCli(words: string[], env: Record<string, string>): CliProcess {
  const child = spawn(process.execPath, ['src/bin/log-export.ts', ...words], {
    env: { ...nodeEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return {
    stdout: () => stdout,
    stderr: () => stderr,
    interrupt: (signal = 'SIGINT') => void child.kill(signal),
    ended: once(child, 'close').then(([code]) => code),
  };
}
