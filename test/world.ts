import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Emulator,
  type EmulatorOptions,
  openEmulator,
} from 'cloudwatch-logs-export-emulator/source';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

import { type Audit, makeAudit } from '#audit/audit.ts';
import { type Access, openToAll } from '#auth/access.ts';
import type { RateLimits } from '#auth/limits/plugin.ts';
import type { AwsTimeouts } from '#aws/client/timeouts.ts';
import type { Database } from '#database/database.ts';
import { type EdgeLimits, edgeLimits } from '#edge/limits.ts';
import type { Tls } from '#edge/tls.ts';
import { makeQueueView } from '#export-jobs/queue/position.ts';
import { makeSlotStatusSource } from '#export-jobs/queue/slot/slot-status.ts';
import { makeInstallationReader, makeIsMarker } from '#export-jobs/store/installation.ts';
import { readVersions } from '#export-jobs/store/reads/read-progress.ts';
import { makeJobWatch } from '#export-jobs/watching/job-watch.ts';
import { openTargets } from '#targets/open-targets.ts';
import type { TargetSettings, Targets } from '#targets/target.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { sleepUntilAborted } from '#time/sleep.ts';
import { buildApp } from '../src/app.ts';
import { type Canaries, makeCanaries } from './canaries.ts';
import { openReady } from './ready-database.ts';
import { longTimeouts, openSilence } from './silence.ts';

/** What a test may set; everything else is as in production, with timeouts that no slow machine meets. */
export interface WorldOptions {
  emulator?: EmulatorOptions;
  targets?: TargetSettings[];
  /** Whether each create runs in a session of its own; false when absent. */
  isSessionScoped?: boolean;
  timeouts?: Partial<AwsTimeouts>;
  /** Whether a call that AWS leaves without an answer times out at once. Timers are not real then. */
  isSilenceShort?: boolean;
  limits?: Partial<EdgeLimits>;
  /** The names the Host header may have; any when absent. */
  allowedHosts?: string[];
  /** The origins whose scripts may call the gateway; none when absent. */
  corsOrigins?: string[];
  /** What callers put before every path; nothing when absent. */
  basePath?: string;
  /** Who is calling, and may they; everybody everything when absent. */
  access?: (audit: Audit) => Access | Promise<Access>;
  /** What a caller may ask for in a minute; any number when absent. */
  rateLimits?: Partial<RateLimits>;
  /** How many calls a second AWS gets of a target; any number when absent. */
  callsPerSecond?: number;
  /** How late the event loop is to the gateway; never when absent. */
  loopDelayMs?: () => number;
  /** The clock of the gateway that only goes forward; real time when absent. */
  elapsed?: () => number;
  /** TLS ended here; plain HTTP when absent. */
  tls?: Tls;
  /** The clock of the gateway; real time when absent. */
  now?: () => number;
  /** The export jobs; without it there are none. */
  jobs?: JobsInWorld;
  /** Whether to wait until every account is checked; true when absent. */
  isCheckAwaited?: boolean;
  /** What the gateway does instead of sleeping; by default it turns the emulator's clock. */
  sleep?: (ms: number, emulator: Emulator) => Promise<void>;
}

/** Where a test keeps its export jobs. */
interface JobsInWorld {
  /** A PostgreSQL; without it, SQLite in a folder of its own. */
  databaseUrl?: string;
  /** A folder to go on with, instead of one of its own. */
  dataDir?: string;
  /** The clock of the database; its own when absent. */
  clock?: () => number;
  /** How many event streams may be open at once. */
  maxStreams?: number;
  /** How many event streams one caller may have open; any number when absent. */
  maxWatchers?: number;
  /** How many slices of one caller may wait; any number when absent. */
  maxWaitingSlices?: number;
}

/** A line of the log, as it was written. */
export type LogLine = Record<string, unknown>;

/** An answer of the gateway, its body parsed. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  body: any;
}

/** The gateway, listening, in front of an emulator that has log group `/app` and bucket `archive`. */
export interface World extends AsyncDisposable {
  app: FastifyInstance;
  emulator: Emulator;
  url: string;
  port: number;
  log: LogLine[];
  /** The lines of the audit. */
  audit: LogLine[];
  /** What must be in no line and no answer; it is looked for when the world is disposed of. */
  canaries: Canaries;
  targets: Targets;
  /** How many requests wait for a job to change. */
  waiting(): number;
  /** Says that a test has changed a job, as who changes one has to. */
  jobChanged(jobId: string): void;
  /** Where the export jobs are. */
  database: Database;
  /** Jobs of which was said that they have changed, in order. */
  changed: string[];
  /** Targets whose dispatcher was told of work, in order. */
  woken: string[];
  setStopping(): void;
  /** Resolves when the condition holds; looks again after every turn of the event loop. */
  waitFor(condition: () => boolean): Promise<void>;
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** CreateExportTask calls that reached AWS. */
  creates(): ReturnType<Emulator['journal']['entries']>;
  /** Calls of an operation that reached AWS. */
  calls(operation: string): ReturnType<Emulator['journal']['entries']>;
}

export const region = 'eu-west-1';

/** A body that AWS accepts in the world of `openWorld`. */
export const order = {
  logGroupName: '/app',
  from: 1_714_521_600_000,
  to: 1_714_607_999_999,
  destination: 'archive',
  destinationPrefix: 'exports/app',
};

/** Longer than the timeouts of the SDK, as in production. */
const patientLimits = { headersMs: 60_000, requestMs: 120_000, handlerMs: 600_000 };

const awsSecretKey = 'secret-of-the-test';

/** Lets the SDK find AWS at a URL, and nothing of the machine's own set-up. */
export function pointSdkAt(url: string): void {
  for (const name of Object.keys(process.env))
    if (name.startsWith('AWS_')) delete process.env[name];
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: 'AKIDTEST',
    AWS_SECRET_ACCESS_KEY: awsSecretKey,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/nonexistent',
    AWS_SHARED_CREDENTIALS_FILE: '/nonexistent',
  });
}

/** Opens a world; dispose of it with `await using`. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const silence = options.isSilenceShort ? openSilence() : undefined;
  const emulator = await openEmulator({
    rateLimits: 'off',
    pendingMs: 100,
    runningMs: 200,
    ...options.emulator,
  });
  silence?.passAt(emulator);
  pointSdkAt(emulator.url);
  emulator.seed.logGroup({ region, logGroupName: '/app' });
  emulator.seed.bucket({ region, bucket: 'archive' });

  const canaries = plantCanaries(options);
  const answers: string[] = [];
  const log: LogLine[] = [];
  const logger = makeLogger('debug', { write: (line: string) => void log.push(JSON.parse(line)) });
  const auditLines: LogLine[] = [];
  const audit = makeAudit({ write: (line: string) => void auditLines.push(JSON.parse(line)) });
  const now = options.now ?? Date.now;
  const elapsed = options.elapsed ?? (() => performance.now());
  let isStopping = false;
  const targets = openTargets({
    settings: options.targets ?? [{ name: 'default', region }],
    isSessionScoped: options.isSessionScoped ?? false,
    audit,
    timeouts: { ...longTimeouts, ...options.timeouts },
    callsPerSecond: options.callsPerSecond ?? 0,
    sessionName: 'test',
    now,
    elapsed,
    sleep: sleepUntilAborted,
    log: logger,
  });
  const sleep = options.sleep ?? (async (ms) => emulator.clock.advance(ms));
  const woken: string[] = [];
  const jobs =
    options.jobs && (await openJobs(options.jobs, logger, (target) => woken.push(target)));
  const app = await buildApp({
    jobs,
    log: logger,
    access: (await options.access?.(audit)) ?? openToAll,
    audit,
    targets,
    isStopping: () => isStopping,
    now,
    elapsed,
    sleep: (ms) => sleep(ms, emulator),
    random: Math.random,
    loopDelayMs: options.loopDelayMs ?? (() => 0),
    rateLimits: { createsPerMinute: 0, requestsPerMinute: 0, ...options.rateLimits },
    newId: randomUUID,
    limits: { ...edgeLimits, ...patientLimits, ...options.limits },
    allowedHosts: options.allowedHosts,
    corsOrigins: options.corsOrigins ?? [],
    tls: options.tls,
    basePath: options.basePath ?? '',
  });
  const openResponses = new Set<ServerResponse>();
  app.server.on('request', (_request, response: ServerResponse) => {
    openResponses.add(response);
    response.once('close', () => openResponses.delete(response));
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  if (options.isCheckAwaited !== false) await targets.whenChecked;
  emulator.journal.clear();
  const { port } = app.server.address() as { port: number };
  const url = `http${options.tls ? 's' : ''}://127.0.0.1:${port}`;
  const calls = (operation: string) =>
    emulator.journal
      .entries()
      .filter((entry) => entry.operation === operation && entry.status !== 'late');

  return {
    app,
    emulator,
    url,
    port,
    log,
    audit: auditLines,
    canaries,
    targets,
    woken,
    get database() {
      if (!jobs) throw new Error('This world has no export jobs.');
      return jobs.database;
    },
    changed: jobs?.changed ?? [],
    waiting: () => jobs?.waiting() ?? 0,
    jobChanged: (jobId) => jobs?.watch.changed(jobId),
    async waitFor(condition) {
      while (!condition()) await new Promise(setImmediate);
    },
    setStopping: () => {
      isStopping = true;
    },
    async call(method, path, body, headers = {}) {
      canaries.plantCredentials(headers);
      const isText = typeof body === 'string';
      const response = await fetch(url + path, {
        method,
        redirect: 'manual',
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      answers.push([...response.headers].join('\n'), text);
      // An answer may come before its response is closed, which is when the log gets its line.
      const requestId = response.headers.get('x-request-id');
      while ([...openResponses].some((open) => open.getHeader('x-request-id') === requestId)) {
        await new Promise(setImmediate);
      }
      const isJson = response.headers.get('content-type')?.includes('json');
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson && text !== '' ? JSON.parse(text) : undefined, // a HEAD has none
      };
    },
    calls,
    creates: () => calls('CreateExportTask'),
    async [Symbol.asyncDispose]() {
      await app.close();
      await jobs?.[Symbol.asyncDispose]();
      await targets[Symbol.asyncDispose]();
      await emulator.close();
      silence?.[Symbol.dispose]();
      refuseUndeclaredProblems(app, log);
      for (const secret of emulator.sessionSecrets()) canaries.plant('a session of AWS', secret);
      const lines = { log: log.map(toText), audit: auditLines.map(toText) };
      const hits = canaries.hits({ answers, ...lines });
      if (hits.length > 0) throw new Error(`Secrets were seen: ${hits.join('\n')}`);
    },
  };
}

const toText = (line: LogLine) => JSON.stringify(line);

/** What every world has that must not be seen; a test may plant more. */
function plantCanaries({ targets = [], emulator = {}, jobs }: WorldOptions): Canaries {
  const canaries = makeCanaries();
  canaries.plant('the secret key of AWS', awsSecretKey);
  for (const { roleArn, externalId } of targets) {
    canaries.plant('the external id', externalId);
    canaries.plant('the role', roleArn, 'from callers');
    // How AWS names a session of it, in texts of its own.
    const roleName = roleArn?.replace(/^.*\//, '');
    if (roleName) canaries.plant('the role', `:assumed-role/${roleName}/`, 'from callers');
  }
  for (const { externalId } of Object.values(emulator.roles ?? {})) {
    canaries.plant('the external id', externalId);
  }
  if (jobs?.databaseUrl) {
    canaries.plant('the password of the database', new URL(jobs.databaseUrl).password);
  }
  return canaries;
}

async function openJobs(
  { dataDir, maxStreams, maxWatchers, maxWaitingSlices, ...where }: JobsInWorld,
  log: Logger,
  wake: (target: string) => void,
) {
  const folder = dataDir ?? mkdtempSync(join(tmpdir(), 'export-jobs-'));
  const database = await openReady({ ...where, dataDir: folder });
  const watch = makeJobWatch({
    readVersions: (jobIds) => readVersions(database.queries, jobIds),
    sleep: sleepUntilAborted,
    log,
  });
  const elapsed = () => performance.now();
  const queue = makeQueueView(database, elapsed);
  let waiting = 0;
  const changed: string[] = [];
  return {
    database,
    waiting: () => waiting,
    changed,
    watch: {
      ...watch,
      changed(jobId: string) {
        changed.push(jobId);
        watch.changed(jobId);
      },
      async waitForChange(...wait: Parameters<typeof watch.waitForChange>) {
        waiting += 1;
        await watch.waitForChange(...wait);
        waiting -= 1;
      },
    },
    queue,
    slots: makeSlotStatusSource(database, queue, elapsed),
    isMarker: makeIsMarker(makeInstallationReader(database)),
    wake,
    maxStreams,
    maxWatchers,
    maxWaitingSlices,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      if (dataDir === undefined) rmSync(folder, { recursive: true });
    },
  };
}

/** Every answer of a test is also a test of the document: an operation answers only what it declares. */
function refuseUndeclaredProblems(app: FastifyInstance, log: LogLine[]): void {
  if (!log.some(({ problem }) => typeof problem === 'string')) return; // to parse it takes a while
  const { paths } = JSON.parse(app.openapiText());
  for (const { route, method, problem, status } of log) {
    if (typeof route !== 'string' || typeof problem !== 'string') continue;
    const operation = paths[route.replaceAll(/:(\w+)/g, '{$1}')]?.[String(method).toLowerCase()];
    const examples =
      operation?.responses[String(status)]?.content['application/problem+json'].examples;
    if (operation && !examples?.[problem]) {
      throw new Error(
        `${method} ${route} answered ${problem}, which its documentation does not declare`,
      );
    }
  }
}
