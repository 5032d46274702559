import { readFileSync } from 'node:fs';
import closeWithGrace from 'close-with-grace';
import { readConfig } from '#config/read-config.ts';
import { openGateway } from '#open-gateway.ts';
import { makeLogger, openLogDestination } from '#telemetry/logger.ts';
import { exit, exitWith } from './exit.ts';

// Load balancers notice after one or two failed readiness probes. Lower: requests still arrive after the
// close. Higher: the ten seconds until the kill are too short for requests in flight.
const lameDuckMs = 3_000;
const exitWithinMs = 9_500; // the documented grace period is ten seconds

const config = exitWith(() => readConfig(process.env, (path) => readFileSync(path, 'utf8')));
const destination = await openLogDestination(config.isLogPretty);
const log = makeLogger(config.logLevel, destination);
const gateway = await openGateway({ config, log, lameDuckMs }).catch(exit);
log.info({ url: gateway.url }, 'listening');

process.on('SIGHUP', () => {
  log.info('reading files again after SIGHUP');
  gateway.reload();
});

closeWithGrace(
  { delay: exitWithinMs, logger: false, skip: ['SIGHUP'] },
  async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'stopping after an unexpected error');
    else log.info({ signal }, 'stopping');
    await gateway.close();
    log.info('stopped');
    await destination.close();
  },
);

gateway.ready.then(() => log.info('ready'), exit);
