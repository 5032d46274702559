#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { exitCodes } from '#cli/exit-codes.ts';
import { runCommandLine } from '#cli/run-command-line.ts';
import type { CommandOutput } from '#cli/surroundings.ts';
import { commandNameOf } from '#command-name.ts';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

const toOutput = (stream: NodeJS.WriteStream): CommandOutput => ({
  write: (content) => void stream.write(content),
  isTerminal: stream.isTTY ?? false,
  columns: () => stream.columns ?? 80,
});

// The first Ctrl-C ends the command with a message, the second one at once.
const interrupted = new AbortController();
// `log-export jobs | head -1` closes the pipe early. That is no error, but a command that waits ends as on Ctrl-C: code 0
// would say that the job is completed. After any other error the results are lost, so the command has a code for that.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  interrupted.abort();
  if (code === 'EPIPE' || process.exitCode === exitCodes.notWritten) return;
  process.exitCode = exitCodes.notWritten;
  process.stderr.write(`log-export: The results cannot be written (${code}).\n`);
});
process.stderr.on('error', () => {}); // notes without a reader change nothing
process.once('SIGINT', () => interrupted.abort());
process.once('SIGTERM', () => interrupted.abort());

const commandName = commandNameOf('log-export', process);

const exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  version,
  commandName,
  stdout: toOutput(process.stdout),
  stderr: toOutput(process.stderr),
  fetch,
  readFile: (path) => readFileSync(path, 'utf8'),
  now: Date.now,
  random: Math.random,
  sleep: async (ms, signal) => {
    await delay(ms, undefined, { signal }).catch(() => {});
  },
  timeout: (ms) => AbortSignal.timeout(ms),
  interrupted: interrupted.signal,
  async verifyManifest(words, write, writeError) {
    // Its calls of S3 cannot be aborted, and there is nothing to tell.
    process.once('SIGINT', () => process.exit(exitCodes.interrupted));
    process.once('SIGTERM', () => process.exit(exitCodes.interrupted));
    const { verifyWithSdk } = await import('#verify-with-sdk.ts');
    const output = { commandName: `${commandName} verify`, write, writeError };
    return verifyWithSdk(words, process.env, output);
  },
  async readWireKey(name) {
    const { readWireKey, toAwsProfile } = await import('#config/wire/read-wire-key.ts');
    const { readTextSync } = await import('#files/read-file.ts');
    return toAwsProfile(readWireKey(process.env, name, readTextSync));
  },
});
process.exitCode ??= exitCode;
