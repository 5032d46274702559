import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Database } from '#database/database.ts';
import { type Emulator, type EmulatorOptions, openEmulator } from '#emulator/emulator.ts';
import { openDispatcher } from '#export-jobs/dispatcher/dispatcher.ts';
import { type DispatcherLimits, dispatcherLimits } from '#export-jobs/dispatcher/limits.ts';
import type { CrashPoint } from '#export-jobs/dispatcher/slot.ts';
import { recordChange } from '#export-jobs/job-store/changes.ts';
import { openTargets } from '#targets/open-targets.ts';
import { postgresUrl } from '../postgres.ts';
import { openReady } from '../ready-database.ts';
import { type LogLine, pointSdkAt, quickTimeouts, region } from '../world.ts';
import { makeTurnedTime, type TurnedTime } from './turned-time.ts';

/** What a test may set. */
export interface LineOptions {
  home?: 'sqlite' | 'postgres';
  emulator?: EmulatorOptions;
  limits?: Partial<DispatcherLimits>;
  /** Dispatchers, as of replicas that share the database. */
  replicas?: number;
  /** Names of targets; each is a Region of its own. */
  targets?: Record<string, string>;
  reach?: (point: CrashPoint) => Promise<void>;
}

/** A job as it is put into line; whatever is left out does not matter. */
export interface PutJob {
  target?: string;
  caller?: string;
  priority?: number;
  logGroupName?: string;
  slices?: number;
  readyInMs?: number;
  destination?: string;
}

/** Dispatchers in front of an emulator, under turned time. */
export interface Line extends AsyncDisposable {
  emulator: Emulator;
  time: TurnedTime;
  database: Database;
  log: LogLine[];
  dispatchers: ReturnType<typeof openDispatcher>[];
  /** Puts a job of hour-long slices into line; its id. */
  put(job?: PutJob): Promise<string>;
  /** Turns time until no slice waits or holds a slot. */
  runUntilDone(): Promise<void>;
  slices(jobId?: string): Promise<{ state: string; attempt: number; problem: string | null }[]>;
  states(jobId?: string): Promise<string[]>;
  calls(operation: string): ReturnType<Emulator['journal']['entries']>;
}

/** 2024-05-01T00:00:00Z: where turned time begins, and a day later than the windows of the jobs. */
export const startAt = Date.UTC(2024, 4, 1);

/** Opens a line; dispose of it with `await using`. */
export async function openLine(options: LineOptions = {}): Promise<Line> {
  const emulator = await openEmulator({
    rateLimits: 'off',
    startAt,
    pendingMs: 500,
    runningMs: 1_500,
    ...options.emulator,
  });
  pointSdkAt(emulator.url);
  const time = makeTurnedTime(emulator);
  const places = options.targets ?? { default: region };
  const settings = Object.entries(places).map(([name, place]) => ({ name, region: place }));
  for (const { region: place } of settings) {
    emulator.seed.logGroup({ region: place, logGroupName: '/app' });
    emulator.seed.bucket({ region: place, bucket: `archive-${place}` });
  }
  emulator.seed.bucket({ region, bucket: 'archive' });
  const dataDir = mkdtempSync(join(tmpdir(), 'log-export-gateway-line-'));
  const database = await openReady({
    dataDir,
    databaseUrl: options.home === 'postgres' ? await postgresUrl() : undefined,
    clock: time.now,
  });

  const log: LogLine[] = [];
  const write = (level: string) => (facts: object, text: string) =>
    void log.push({ level, ...facts, text });
  const logger = { info: write('info'), warn: write('warn'), error: write('error') };
  const targets = openTargets({
    settings,
    timeouts: quickTimeouts,
    sessionName: 'test',
    now: time.now,
    sleep: async () => {},
    log: logger,
  });
  await targets.whenChecked;
  emulator.journal.clear();
  const replicas = options.replicas ?? 1;
  const dispatchers = Array.from({ length: replicas }, (_, index) =>
    openDispatcher({
      database,
      targets,
      limits: { ...dispatcherLimits, ...options.limits },
      log: logger,
      owner: `replica-${index}`,
      elapsed: time.now,
      sleep: time.sleep,
      random: Math.random,
      onChange: () => {},
      ...(options.reach && { reach: options.reach }),
    }),
  );
  const sleepers = replicas * settings.length;

  const readSlices = (jobId?: string) =>
    database.queries
      .selectFrom('slices')
      .select(['state', 'attempt', 'problem'])
      .$if(jobId !== undefined, (query) => query.where('jobId', '=', jobId as string))
      .orderBy('jobId')
      .orderBy('number')
      .execute();

  return {
    emulator,
    time: {
      ...time,
      runUntil: (condition, count = sleepers) => time.runUntil(condition, count),
      runFor: (ms, count = sleepers) => time.runFor(ms, count),
    },
    database,
    log,
    dispatchers,
    put: (job) => putJob(database, job),
    slices: readSlices,
    states: async (jobId) => (await readSlices(jobId)).map(({ state }) => state),
    async runUntilDone() {
      const isDone = async () => {
        const { open } = await database.queries
          .selectFrom('slices')
          .select((of) => of.fn.countAll<number>().as('open'))
          .where('state', 'in', ['waiting', 'starting', 'running', 'cancelling'])
          .executeTakeFirstOrThrow();
        return Number(open) === 0;
      };
      await time.runUntil(isDone, sleepers);
    },
    calls: (operation) =>
      emulator.journal
        .entries()
        .filter((entry) => entry.operation === operation && entry.status !== 'late'),
    async [Symbol.asyncDispose]() {
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.close()));
      await targets[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
      await emulator.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function putJob(database: Database, job: PutJob = {}): Promise<string> {
  const { target = 'default', caller = 'anonymous', priority = 0, slices = 1 } = job;
  const { logGroupName = '/app', readyInMs = 0, destination = 'archive' } = job;
  const id = randomUUID();
  const fromAt = startAt - 30 * 86_400_000;
  await database.transaction(async (queries) => {
    await queries
      .insertInto('jobs')
      .values({
        ...{ id, target, caller, priority, destination, fromAt, toAt: fromAt + slices * 3_600_000 },
        ...{ sliceBy: 'hour', destinationPrefix: 'jobs/{jobId}/{attempt}', isUnsettledAllowed: 0 },
        acceptedAt: database.now(),
      })
      .execute();
    for (let number = 0; number < slices; number++) {
      await queries
        .insertInto('slices')
        .values((of) => ({
          ...{ jobId: id, number, target, caller, priority, logGroupName, state: 'waiting' },
          fromAt: fromAt + number * 3_600_000,
          toAt: fromAt + (number + 1) * 3_600_000,
          readyAt: of(database.now(), '+', readyInMs),
        }))
        .execute();
    }
    await queries
      .insertInto('lines')
      .values({ target, priority, caller })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await recordChange(queries, database, id, { type: 'job-accepted', slices });
  });
  return id;
}
