import closeWithGrace from 'close-with-grace';
import { readEmulatorConfig } from '#config/config.ts';
import { toListenError } from '#config/listen-error.ts';
import { openEmulator } from '#emulator/emulator.ts';
import { seedExamples } from './examples.ts';
import { exit, exitWith } from './exit.ts';

const config = exitWith(() => readEmulatorConfig(process.env));
const emulator = await openEmulator(config).catch((error) =>
  exit(toListenError(error, { ...config, portVariable: 'EMULATOR_PORT' }) as Error),
);
if (process.argv.includes('--examples')) seedExamples(emulator.seed);
process.stdout.write(`The emulator of CloudWatch Logs, STS and S3 listens on ${emulator.url}.\n`);
process.stdout.write(`Point a client at it with AWS_ENDPOINT_URL=${emulator.url}\n`);

closeWithGrace({ delay: 5_000, logger: false }, () => emulator.close());
