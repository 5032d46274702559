import { connect } from 'node:net';
import { join } from 'node:path';
import { readConfig } from '#config/read-config.ts';
import { readTextSync } from '#files/read-file.ts';
import { openGateway } from '#open-gateway.ts';
import { makeLogger } from '#telemetry/logger.ts';
import packageJson from '../package.json' with { type: 'json' };
import { findFreePort } from '../test/free-port.ts';
import { type Child, startChild, type Usage, usageOf } from './child.ts';
import { makeFolder } from './folder.ts';
import { isShort } from './form.ts';
import { type Core, subjectCore } from './machine.ts';
import { region } from './requests.ts';
import { waitUntil } from './wait-until.ts';

/** A gateway that is ready. */
export interface RunningGateway extends Usage, AsyncDisposable {
  url: string;
  /** Ends it in order. */
  end(): Promise<void>;
}

/** The gateway with its production settings, in a process of its own. */
export interface GatewayProcess extends Child {
  url: string;
  /** When the process was started, in epoch ms. */
  spawnedAt: number;
  /** The time from the start of the process until it listens, in milliseconds. */
  listeningMs: number;
  /** The time from the start of the process to the first 200 of /health/ready, in milliseconds. */
  startMs: number;
}

/** The environment that points the SDK at the emulator. */
export function awsEnvironment(awsUrl: string): Record<string, string> {
  return {
    AWS_REGION: region,
    AWS_ENDPOINT_URL: awsUrl,
    AWS_ACCESS_KEY_ID: 'bench',
    AWS_SECRET_ACCESS_KEY: 'bench',
  };
}

const startCommand = packageJson.scripts.start; // node, its flags, the script
// V8 keeps compiled code apart for its flags, and makes slower code with them. The short form measures nothing,
// and starts dozens of gateways.
const flags = isShort ? [] : startCommand.split(' ').slice(1, -1);

// Shorter: the probes slow the start. Longer: the start appears longer than it is. So the pause grows with
// the start: that of many targets takes seconds. The short form measures nothing.
const minPauseMs = isShort ? 50 : 3;
const pauseShare = 0.01;
// Shorter: a start that keeps the event loop busy is probed twice. Longer: it hides a probe that got lost.
const maxProbeMs = 30_000;

/** Settings of a gateway. Default: SQLite in an empty folder, and a filled compile cache. */
export interface GatewayOptions {
  /** The PostgreSQL for export jobs. Default: SQLite in an empty folder. */
  databaseUrl?: string;
  isCompileCacheUsed?: boolean;
  /** Runs `dist`, as the image does. Default: the sources. */
  isBundle?: boolean;
  /** More environment variables. */
  env?: Record<string, string>;
  /** A module to load first, as a path from the project root. */
  preload?: string;
  /** The core to run on. Default: that of the measured process. */
  core?: Core;
  /** Tells apart gateways with the same settings. */
  name?: string;
}

/** Starts the gateway, and resolves when it is ready. Its log is discarded. */
export async function startGateway(
  awsUrl: string,
  options: GatewayOptions = {},
): Promise<GatewayProcess> {
  const { isCompileCacheUsed = true, isBundle = false, preload } = options;
  const port = await findFreePort();
  const [beganAt, spawnedAt] = [performance.now(), Date.now()];
  const child = startChild({
    script: isBundle ? 'dist/main.js' : 'src/bin/main.ts',
    flags: [
      ...flags,
      ...(preload ? ['--import', new URL(`../${preload}`, import.meta.url).href] : []),
    ],
    core: options.core ?? subjectCore,
    isCompileCacheUsed,
    env: {
      ...awsEnvironment(awsUrl),
      ...settingsOf(options),
      PORT: String(port),
    },
  });
  const elapsedMs = () => performance.now() - beganAt;
  let listeningMs: number | undefined;
  const onConnect = () => {
    listeningMs ??= elapsedMs();
  };
  await waitUntil({
    what: 'a gateway to be ready',
    async read() {
      const status = await readHealth(port, onConnect);
      if (child.hasEnded()) throw new Error('The gateway did not start.');
      return status;
    },
    isDone: (status) => status === 200,
    describe: (status) => (status === undefined ? 'no answer' : `status ${status}`),
    pauseMs: (ms) => Math.max(minPauseMs, ms * pauseShare),
  });
  const startMs = elapsedMs();
  const url = `http://127.0.0.1:${port}`;
  return { ...child, url, spawnedAt, listeningMs: listeningMs ?? startMs, startMs };
}

function settingsOf({ databaseUrl, env }: GatewayOptions) {
  return {
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : { DATA_DIR: makeFolder() }),
    // The callers of a benchmark exceed the default limits.
    CREATES_PER_MINUTE: '0',
    REQUESTS_PER_MINUTE: '0',
    AWS_CALLS_PER_SECOND: '0',
    ...env,
  };
}

/** The gateways in front of one AWS. */
export interface Gateways extends AsyncDisposable {
  open(options?: GatewayOptions): Promise<RunningGateway>;
}

/**
 * Makes them. The short form measures nothing, and a start of a process takes more CPU time than a figure. So
 * it opens them in this process. The same settings get the same gateway, which ends with all of them.
 */
export function makeGateways(awsUrl: string): Gateways {
  const shared = new Map<string, Promise<RunningGateway>>();
  // The SDK reads them from here.
  if (isShort) Object.assign(process.env, awsEnvironment(awsUrl), noAwsOfMachine);
  return {
    async open(options = {}) {
      if (!isShort) return startGateway(awsUrl, options);
      const settings = JSON.stringify(options);
      const opened = shared.get(settings) ?? openHere(options);
      shared.set(settings, opened);
      return { ...(await opened), async end() {}, async [Symbol.asyncDispose]() {} };
    },
    async [Symbol.asyncDispose]() {
      for (const gateway of shared.values()) await (await gateway)[Symbol.asyncDispose]();
    },
  };
}

const noAwsOfMachine = {
  AWS_CONFIG_FILE: '/nonexistent',
  AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** Opens a gateway in this process. */
async function openHere(options: GatewayOptions): Promise<RunningGateway> {
  const settings = {
    AWS_REGION: region,
    AUDIT_LOG: join(makeFolder(), 'audit.jsonl'),
    PORT: '0',
    ...settingsOf(options),
  };
  const { url, ready, close } = await openGateway({
    config: readConfig(settings, readTextSync),
    log: makeLogger('info', { write() {} }),
    lameDuckMs: 0,
  });
  await ready;
  return { ...usageOf(process.pid), url, end: close, [Symbol.asyncDispose]: close };
}

/** The status of /health/ready; `undefined` without an answer. */
function readHealth(port: number, onConnect: () => void): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: maxProbeMs });
    socket.on('connect', () => {
      onConnect();
      socket.write('GET /health/ready HTTP/1.1\r\nHost: bench\r\n\r\n');
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => {}).on('close', () => resolve(undefined));
    socket.on('data', (answer) => {
      resolve(Number(answer.toString('latin1', 9, 12)));
      socket.destroy();
    });
  });
}
