import closeWithGrace from 'close-with-grace';
import { readConfig } from '#config/read-config.ts';
import { isReadHanging, readTextSync } from '#files/read-file.ts';
import { openGateway } from '#open-gateway.ts';
import { makeLogger, openLogDestination } from '#telemetry/logger.ts';
import { exit, exitWith } from './exit.ts';

// Load balancers notice after one or two failed readiness probes. Lower: requests still arrive after the
// close. Higher: the ten seconds until the kill are too short for requests in flight.
const lameDuckMs = 3_000;
const exitWithinMs = 9_500; // the documented grace period is ten seconds
// A read that has just begun takes some milliseconds. Lower: the process is killed for nothing. Higher:
// the end takes longer than the grace period.
const hangingAfterMs = 100;

/** Runs the service until a signal ends it. `onReload` is called with what a SIGHUP does. */
export async function serve(onReload: (act: () => void) => void): Promise<void> {
  const config = exitWith(() => readConfig(process.env, readTextSync));
  const destination = await openLogDestination(config.isLogPretty);
  const log = makeLogger(config.logLevel, destination, config.basePath);
  const exitWithLog = async (error: Error) => {
    await destination.close();
    return exit(error);
  };
  const gateway = await openGateway({ config, log, lameDuckMs }).catch(exitWithLog);
  log.info({ url: gateway.url, metricsUrl: gateway.metricsUrl }, 'listening');

  onReload(() => {
    log.info('reading files again after SIGHUP');
    gateway.reload();
  });

  closeWithGrace(
    // The second error, a second signal and the time limit end the process at once, so they cannot be in the log.
    { delay: exitWithinMs, logger: { error: print }, skip: ['SIGHUP'] },
    async ({ err, signal }) => {
      if (err) {
        print(err); // the log loses it if a second error follows
        log.fatal({ err }, 'stopping after an unexpected error');
      } else log.info({ signal }, 'stopping');
      await gateway.close();
      log.info('stopped');
      await destination.close();
      // process.exit would wait for the thread of the read.
      if (await isReadHanging(hangingAfterMs)) process.kill(process.pid, 'SIGKILL');
    },
  );

  gateway.ready.then(() => log.info('ready'), exitWithLog);
}

function print(said: unknown): void {
  process.stderr.write(`${said instanceof Error ? said.stack : said}\n`);
}
