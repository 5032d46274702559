#!/usr/bin/env node
import { commandNameOf } from '#command-name.ts';
import { verifyWithSdk } from '#verify-with-sdk.ts';
import { exit } from './exit.ts';

// `verify … | head -1` closes the pipe early. The exit code still tells the result.
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') return;
  process.stderr.write(`The result cannot be written (${code}).\n`);
  process.exit(2);
});

process.exitCode = await verifyWithSdk(process.argv.slice(2), process.env, {
  commandName: commandNameOf('log-export-gateway', process),
  write: (line) => void process.stdout.write(`${line}\n`),
}).catch(exit);
