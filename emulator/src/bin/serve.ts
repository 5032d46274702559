import { parseArgs } from 'node:util';
import { openEmulator, readEmulatorOptions, seedExamples } from '../emulator.ts';

const help = `Usage: cloudwatch-logs-export-emulator [--examples]

Emulates export tasks of CloudWatch Logs, with STS, S3 and KMS, until it is stopped.

  --examples  adds a log group with events, a bucket and two export tasks
  --help      prints this text

Environment variables:
  HOST              address to listen on, default 127.0.0.1
  EMULATOR_PORT     port to listen on, default 4566; 0 takes any free port
  EMULATOR_OPTIONS  options as a JSON object, default {}
`;

const { examples, help: isHelpWanted } = readArguments();
if (isHelpWanted) {
  process.stdout.write(help);
  process.exit();
}
const emulator = await start().catch(exit);
if (examples) seedExamples(emulator.seed);
process.stdout.write(
  `The emulator of CloudWatch Logs, STS, S3 and KMS listens on ${emulator.url}.\n`,
);
process.stdout.write(`Point a client at it with AWS_ENDPOINT_URL=${emulator.url}\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await emulator.close();
    process.exit();
  });
}

function readArguments() {
  const options = { examples: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(1);
  }
}

async function start() {
  return openEmulator(readEmulatorOptions(process.env));
}

/** Ends the process with 1. Prints a sentence for a wrong setting, and a stack for a defect. */
function exit({ name, message, stack }: Error): never {
  process.stderr.write(`${name === 'ConfigError' ? message : stack}\n`);
  process.exit(1);
}
