import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import {
  type Emulator,
  type EmulatorOptions,
  openEmulator,
} from 'cloudwatch-logs-export-emulator/source';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Archives } from '#archives/archives.ts';
import { makeArchives } from '#archives/open-archives.ts';
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
import { type ChangeWatch, makeChangeWatch } from '#export-jobs/watching/change-watch.ts';
import { openTargets } from '#targets/open-targets.ts';
import type { TargetSettings, Targets } from '#targets/target.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { type AbortableSleep, sleepUntilAborted } from '#time/sleep.ts';
import { buildApp } from '../src/app.ts';
import { longTimeouts, openTimeoutSkipper } from './aws-timeouts.ts';
import { type Canaries, makeCanaries } from './canaries.ts';
import { memoryFolder } from './memory-folder.ts';
import { patientFetch } from './patient-fetch.ts';
import { openReady } from './ready-database.ts';

/** The options of a test. Everything else is as in production, with timeouts for slow machines. */
export interface WorldOptions {
  emulator?: EmulatorOptions;
  targets?: TargetSettings[];
  /** Whether each create runs in its own session. Default: false. */
  isSessionScoped?: boolean;
  timeouts?: Partial<AwsTimeouts>;
  /** Whether a call without an answer from AWS times out at once. It replaces the timers. */
  isTimeoutSkipped?: boolean;
  limits?: Partial<EdgeLimits>;
  /** The allowed values of the Host header. Default: any. */
  allowedHosts?: string[];
  /** The origins whose scripts may call the gateway. Default: none. */
  corsOrigins?: string[];
  /** The public base path. Default: none. */
  basePath?: string;
  /** Whether there are pages for people. Default: true. */
  isUiOn?: boolean;
  /** Authentication and authorization. Default: every caller may do everything. */
  access?: (audit: Audit) => Access | Promise<Access>;
  /** The rate limits of a caller. Default: none. */
  rateLimits?: Partial<RateLimits>;
  /** The call budget of a target, per second. Default: no limit. */
  callsPerSecond?: number;
  /** The delay of the event loop, as the gateway sees it. Default: 0. */
  loopDelayMs?: () => number;
  /** The monotonic clock of the gateway. Default: real time. */
  elapsed?: () => number;
  /** TLS of the gateway. Default: plain HTTP. */
  tls?: Tls;
  /** The clock of the gateway. Default: real time. */
  now?: () => number;
  /** The ids of requests and jobs. Default: random. */
  newId?: () => string;
  /** The export jobs. Default: jobs are off. */
  jobs?: JobsInWorld;
  /** The origins that heartbeats of archives may go to. Default: none. */
  heartbeatOrigins?: string[];
  /** The origins that webhook endpoints may have beside public ones. Default: none. */
  webhookOrigins?: string[];
  /** Whether to wait until every account is checked. Default: true. */
  isCheckAwaited?: boolean;
  /** No account is checked before. Default: at once. */
  checkWhen?: Promise<void>;
  /** Replaces the sleep between the checks of targets, and until readiness without all of them. Default: real time. */
  sleepOfTargets?: AbortableSleep;
  /** Replaces sleeping in the gateway. Default: it advances the clock of the emulator. */
  sleep?: (ms: number, emulator: Emulator) => Promise<void>;
}

/** The storage and limits of the export jobs. */
interface JobsInWorld {
  /** The PostgreSQL database. Default: SQLite in an empty folder. */
  databaseUrl?: string;
  /** An existing folder of SQLite. */
  dataDir?: string;
  /** The clock of the database. Default: its own. */
  clock?: () => number;
  /** The most open event streams. */
  maxStreams?: number;
  /** The most open event streams of one caller. Default: no limit. */
  maxWatchers?: number;
  /** The most waiting slices of one caller. Default: no limit. */
  maxWaitingSlices?: number;
  /** The sleep of event streams and of those that wait for changes. Default: in real time. */
  sleep?: AbortableSleep;
}

/** An entry of the log. */
export type LogLine = Record<string, unknown>;

/** An answer of the gateway with its parsed body. */
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
  /** The entries of the audit. */
  audit: LogLine[];
  /** Secrets that must not appear in the output. They are searched for when the world is disposed. */
  canaries: Canaries;
  targets: Targets;
  /** Returns the number of requests that wait for a change of a job. */
  waiting(): number;
  /** Returns the number of requests that wait for a change of an archive. */
  waitingForArchives(): number;
  /** Reports that the test has changed a job. */
  jobChanged(jobId: string): void;
  /** The database of the export jobs. */
  database: Database;
  /** The ids of jobs that were reported as changed, in order. */
  changed: string[];
  /** The targets whose dispatcher was woken, in order, and `webhooks` for the deliveries. */
  woken: string[];
  setStopping(): void;
  /** Resolves when the condition holds. It is checked after every turn of the event loop. */
  waitFor(condition: () => boolean): Promise<void>;
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** Returns the CreateExportTask calls that reached AWS. */
  creates(): ReturnType<Emulator['journal']['entries']>;
  /** Returns the calls of an operation that reached AWS. */
  calls(operation: string): ReturnType<Emulator['journal']['entries']>;
}

export const region = 'eu-west-1';

/** The body of a create that succeeds in the world of `openWorld`. */
export const createBody = {
  logGroupName: '/app',
  from: 1_714_521_600_000,
  to: 1_714_607_999_999,
  destination: 'archive',
  destinationPrefix: 'exports/app',
};

/** Longer than the timeouts of the SDK, as in production. */
const patientLimits = { headersMs: 60_000, requestMs: 120_000, handlerMs: 600_000 };

const awsSecretKey = 'secret-of-the-test';

/** Points the SDK at a URL, and removes the AWS configuration of the machine. */
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

/** Opens a world. Use it with `await using`. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const timeoutSkipper = options.isTimeoutSkipped ? openTimeoutSkipper() : undefined;
  const emulator = await openEmulator({
    rateLimits: 'off',
    pendingMs: 100,
    runningMs: 200,
    ...options.emulator,
  });
  timeoutSkipper?.skipAt(emulator);
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
    isSlotExclusive: options.jobs !== undefined,
    random: () => 0,
    checkWhen: options.checkWhen,
    audit,
    timeouts: { ...longTimeouts, ...options.timeouts },
    callsPerSecond: options.callsPerSecond ?? 0,
    sessionName: 'test',
    now,
    elapsed,
    sleep: options.sleepOfTargets ?? sleepUntilAborted,
    log: logger,
  });
  const sleep = options.sleep ?? (async (ms) => emulator.clock.advance(ms));
  const woken: string[] = [];
  const jobs =
    options.jobs && (await openJobs(options.jobs, logger, (target) => woken.push(target)));
  const archives = jobs && openArchivesOf(jobs.database, options, logger);
  const app = await buildApp({
    jobs,
    archives,
    webhookEndpoints: {
      origins: options.webhookOrigins ?? [],
      wake: () => woken.push('webhooks'),
      newKey: () => randomBytes(32),
    },
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
    newId: options.newId ?? randomUUID,
    limits: { ...edgeLimits, ...patientLimits, ...options.limits },
    allowedHosts: options.allowedHosts,
    corsOrigins: options.corsOrigins ?? [],
    tls: options.tls,
    basePath: options.basePath ?? '',
    isUiOn: options.isUiOn ?? true,
  });
  const openResponses = new Set<ServerResponse>();
  app.server.on('request', (_request, response: ServerResponse) => {
    openResponses.add(response);
    response.once('close', () => openResponses.delete(response));
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  if (options.isCheckAwaited !== false) await targets.whenReady;
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
    waitingForArchives: () => archives?.waiting() ?? 0,
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
      const send = options.isTimeoutSkipped ? patientFetch : fetch;
      const response = await send(url + path, {
        method,
        redirect: 'manual' as const,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      answers.push([...response.headers].join('\n'), text);
      // The answer may arrive before its response is closed. The log entry is written at the close.
      const requestId = response.headers.get('x-request-id');
      const open = [...openResponses].filter(
        (each) => each.getHeader('x-request-id') === requestId,
      );
      await Promise.all(open.map((each) => once(each, 'close')));
      const isJson = response.headers.get('content-type')?.includes('json');
      return {
        status: response.status,
        headers: response.headers,
        text,
        body: isJson && text !== '' ? JSON.parse(text) : undefined, // a HEAD has no body
      };
    },
    calls,
    creates: () => calls('CreateExportTask'),
    async [Symbol.asyncDispose]() {
      await app.close();
      await jobs?.[Symbol.asyncDispose]();
      await targets[Symbol.asyncDispose]();
      await emulator.close();
      timeoutSkipper?.[Symbol.dispose]();
      refuseUndeclaredProblems(app, log, options.basePath ?? '');
      for (const secret of emulator.sessionSecrets()) canaries.plant('a session of AWS', secret);
      const lines = { log: log.map(toText), audit: auditLines.map(toText) };
      const hits = canaries.hits({ answers, ...lines });
      if (hits.length > 0) throw new Error(`Secrets in the output: ${hits.join('\n')}`);
    },
  };
}

const toText = (line: LogLine) => JSON.stringify(line);

/** Plants the secrets of every world. A test may plant more. */
function plantCanaries({ targets = [], emulator = {}, jobs }: WorldOptions): Canaries {
  const canaries = makeCanaries();
  canaries.plant('the secret key of AWS', awsSecretKey);
  for (const { roleArn, externalId } of targets) {
    canaries.plant('the external id', externalId);
    canaries.plant('the role', roleArn, 'in answers');
    // The form in which AWS names a session of the role in its messages.
    const roleName = roleArn?.replace(/^.*\//, '');
    if (roleName) canaries.plant('the role', `:assumed-role/${roleName}/`, 'in answers');
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
  {
    dataDir,
    maxStreams,
    maxWatchers,
    maxWaitingSlices,
    sleep = sleepUntilAborted,
    ...storage
  }: JobsInWorld,
  log: Logger,
  wake: (target: string) => void,
) {
  const folder = dataDir ?? mkdtempSync(join(memoryFolder, 'export-jobs-'));
  const database = await openReady({ ...storage, dataDir: folder });
  const watch = makeChangeWatch({
    what: 'jobs',
    readVersions: (jobIds) => readVersions(database.queries, jobIds),
    sleep,
    log,
  });
  const elapsed = () => performance.now();
  const queue = makeQueueView(database, elapsed);
  const counted = countWaiters(watch);
  const changed: string[] = [];
  return {
    database,
    sleepUntilAborted: sleep,
    waiting: counted.waiting,
    changed,
    watch: {
      ...counted.watch,
      changed(jobId: string) {
        changed.push(jobId);
        watch.changed(jobId);
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

/** Makes the archives, without a keeper. */
function openArchivesOf(
  database: Database,
  { heartbeatOrigins = [] }: WorldOptions,
  log: Logger,
): Archives & { waiting(): number } {
  const archives = makeArchives(database, { heartbeatOrigins, sleep: sleepUntilAborted, log });
  return { ...archives, ...countWaiters(archives.watch) };
}

/** Counts the waiters of a watch. */
function countWaiters(watch: ChangeWatch) {
  let waiting = 0;
  return {
    waiting: () => waiting,
    watch: {
      ...watch,
      async waitForChange(...wait: Parameters<ChangeWatch['waitForChange']>) {
        waiting += 1;
        await watch.waitForChange(...wait);
        waiting -= 1;
      },
    },
  };
}

/** An operation in the API document. */
interface Operation {
  responses: Record<string, { content: Record<string, { examples: Record<string, unknown> }> }>;
}

/** The problems that operations have returned in tests, and which their document declares. */
const declared = new Set<string>();

/** Checks in every test that an operation returns only problems that its document declares. */
function refuseUndeclaredProblems(app: FastifyInstance, log: LogLine[], basePath: string): void {
  let paths: Record<string, Record<string, Operation>> | undefined;
  for (const { route, method, problem, status } of log) {
    if (typeof route !== 'string' || typeof problem !== 'string') continue;
    const known = [basePath, method, route, status, problem].join(' ');
    if (declared.has(known)) continue; // an operation declares the same in every world
    paths ??= JSON.parse(app.openapiText()).paths as typeof paths; // takes as long as opening a world
    const operation = paths?.[route.replaceAll(/:(\w+)/g, '{$1}')]?.[String(method).toLowerCase()];
    const content = operation?.responses[String(status)]?.content['application/problem+json'];
    if (operation && !content?.examples[problem]) {
      throw new Error(
        `${method} ${route} returned ${problem}, which the API document does not declare`,
      );
    }
    declared.add(known);
  }
}
