import { setTimeout as sleep } from 'node:timers/promises';

import { readConfig } from '#config/read-config.ts';
import { openGateway } from '#open-gateway.ts';
import { configError } from '#problems/config-error.ts';
import { makeLogger, openLogDestination } from '#telemetry/logger.ts';
import { exit, exitWith } from './exit.ts';

// The gateway for the walk in docs/archives.md. It runs against an emulator of another process, and its clock is that
// of the emulator. So days pass for both when somebody turns that clock.

const emulatorUrl = `http://127.0.0.1:${process.env.EMULATOR_PORT || 4566}`;
// Shorter: more requests for nothing. Longer: the gateway is in yesterday when somebody asks it at once.
const followEveryMs = 100;

// The AWS settings of this machine must not reach the demo, and the demo must not reach a real account.
for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
const config = exitWith(() => ({
  ...readConfig({ ...process.env, AWS_REGION: 'eu-west-1' }, () => ''),
  jobs: { dataDir: '.data/demo-archives' },
  auditLog: '.data/demo-archives/audit.jsonl',
}));
Object.assign(process.env, {
  AWS_ENDPOINT_URL: emulatorUrl,
  AWS_ACCESS_KEY_ID: 'demo',
  AWS_SECRET_ACCESS_KEY: 'demo',
  AWS_EC2_METADATA_DISABLED: 'true',
});

let offsetMs = await readOffset().catch(() =>
  exit(
    configError(
      `Nothing answers at ${emulatorUrl}. Start the emulator first, as docs/archives.md says.`,
    ),
  ),
);
const log = makeLogger(process.env.LOG_LEVEL ?? 'warn', await openLogDestination(true));
const clock = () => Date.now() + offsetMs;
const gateway = await openGateway({ config, log, lameDuckMs: 0, clock }).catch(exit);
await gateway.ready;
process.stdout.write(`The gateway listens at ${gateway.url}, with the clock of ${emulatorUrl}.\n`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void gateway.close().then(() => process.exit()));
}
for (;;) {
  await sleep(followEveryMs);
  offsetMs = await readOffset().catch(() => offsetMs); // the emulator is away: time goes on as before
}

/** Reads how far the clock of the emulator is ahead of that of this machine, in ms. */
async function readOffset(): Promise<number> {
  const answer = await fetch(`${emulatorUrl}/_emulator/clock`);
  const { now } = (await answer.json()) as { now: number };
  return now - Date.now();
}
