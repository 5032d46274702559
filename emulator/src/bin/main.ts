#!/usr/bin/env node
import { openEmulator, readEmulatorOptions, seedExamples } from '../emulator.ts';

const emulator = await start().catch(exit);
if (process.argv.includes('--examples')) seedExamples(emulator.seed);
process.stdout.write(`The emulator of CloudWatch Logs, STS and S3 listens on ${emulator.url}.\n`);
process.stdout.write(`Point a client at it with AWS_ENDPOINT_URL=${emulator.url}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await emulator.close();
    process.exit();
  });
}

async function start() {
  return openEmulator(readEmulatorOptions(process.env));
}

/** Ends the process with 1. Prints a sentence for a wrong setting, and a stack for a defect. */
function exit({ name, message, stack }: Error): never {
  process.stderr.write(`${name === 'ConfigError' ? message : stack}\n`);
  process.exit(1);
}
