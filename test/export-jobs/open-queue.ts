import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Emulator,
  type EmulatorOptions,
  openEmulator,
} from 'cloudwatch-logs-export-emulator/source';

import { makeAudit } from '#audit/audit.ts';
import { openToAll } from '#auth/access.ts';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Database } from '#database/database.ts';
import { type Dispatcher, openDispatcher } from '#export-jobs/dispatcher/dispatcher.ts';
import type { CrashPoint } from '#export-jobs/dispatcher/owned-slot.ts';
import { type DispatcherTimings, dispatcherTimings } from '#export-jobs/dispatcher/timings.ts';
import { cancelJob } from '#export-jobs/store/requests/cancel-job.ts';
import { Problem } from '#problems/problem.ts';
import { openTargets } from '#targets/open-targets.ts';
import type { OpenTarget, TargetSettings, Targets } from '#targets/target.ts';
import { longTimeouts, openTimeoutSkipper } from '../aws-timeouts.ts';
import { memoryFolder } from '../memory-folder.ts';
import { postgresUrl } from '../postgres-databases.ts';
import { openReady } from '../ready-database.ts';
import { type LogLine, pointSdkAt, region } from '../world.ts';
import { approvalOf } from './caller-requests.ts';
import { type HourlyJob, insertHourlyJob, startAt } from './insert-hourly-job.ts';
import { makeVirtualTime, type VirtualTime } from './virtual-time.ts';

/** The options of a test. */
export interface QueueOptions {
  backend?: 'sqlite' | 'postgres';
  emulator?: EmulatorOptions;
  timings?: Partial<DispatcherTimings>;
  /** The number of dispatchers that share the database, like replicas. Default: 1. */
  replicas?: number;
  /** Each in a Region of its own. */
  targets?: TargetSettings[];
  /** Whether each create runs in a session of its own. Default: false. */
  isSessionScoped?: boolean;
  /** Whether a call without an answer times out at once. Timers are not real then. */
  isTimeoutSkipped?: boolean;
  reach?: (point: CrashPoint) => Promise<void>;
  random?: () => number;
  /** Decides what may be sent. Default: everything. */
  authorizer?: Authorizer;
  /** How far the database's clock is off, in ms. Default: 0. */
  clockOffMs?: () => number;
  /** Changes the targets for the dispatchers. */
  seeTarget?: (target: OpenTarget) => OpenTarget;
}

/** The faults of a replica. */
interface ReplicaOptions {
  /** It dies at this point, as after a `kill -9`. */
  diesAt?: CrashPoint;
  /** It freezes at this point, the first time, until it is thawed. */
  freezesAt?: CrashPoint;
  /** Changes the database for this replica. */
  seeDatabase?: (database: Database) => Database;
  /** The targets of this replica. */
  targets?: TargetSettings[];
  /** Whether its reads of tasks fail. */
  breaksAws?: boolean;
  /** Whether the accounts of its targets are not checked yet. */
  isUnchecked?: () => boolean;
}

/** A dispatcher, like one in a process of its own. */
export interface Replica {
  dispatcher: Dispatcher;
  owner: string;
  /** Whether it has died or is frozen. */
  isDown(): boolean;
  thaw(): void;
  close(): Promise<void>;
}

/** Dispatchers in front of an emulator, under virtual time. */
export interface Queue extends AsyncDisposable {
  emulator: Emulator;
  time: VirtualTime;
  database: Database;
  targets: Targets;
  log: LogLine[];
  /** The audit lines. */
  audit: LogLine[];
  dispatchers: Dispatcher[];
  replicas: Replica[];
  openReplica(options?: ReplicaOptions): Promise<Replica>;
  /** Inserts a job with slices of one hour, and wakes all replicas. Returns its id. */
  put(job?: HourlyJob): Promise<string>;
  /** Requests the cancel of a job as its caller, and wakes all replicas. */
  cancel(jobId: string): Promise<void>;
  /** Advances time until no slice waits or holds a slot. */
  runUntilDone(): Promise<void>;
  slices(jobId?: string): Promise<{ state: string; attempt: number; problem: string | null }[]>;
  states(jobId?: string): Promise<string[]>;
  calls(operation: string): ReturnType<Emulator['journal']['entries']>;
}

/**
 * An error that the SDK does not retry. It has no valid date: otherwise virtual time looks to the SDK
 * like a wrong clock, and it retries.
 */
export const refusal = {
  kind: 'error',
  code: 'InvalidParameterException',
  headers: { date: 'unknown' },
} as const;

/** The points at which a verification dies. */
const verificationPoints: CrashPoint[] = ['before-manifest', 'after-manifest'];

/** Opens a queue; dispose of it with `await using`. */
export async function openQueue(options: QueueOptions = {}): Promise<Queue> {
  const silence = options.isTimeoutSkipped ? openTimeoutSkipper() : undefined;
  const emulator = await openEmulator({
    rateLimits: 'off',
    startAt,
    pendingMs: 500,
    runningMs: 1_500,
    ...options.emulator,
  });
  silence?.skipAt(emulator);
  pointSdkAt(emulator.url);
  const { seeTarget = (target) => target } = options;
  const time = makeVirtualTime(emulator);
  const settings = options.targets ?? [{ name: 'default', region }];
  for (const { region: place, accountId } of settings) {
    emulator.seed.logGroup({
      region: place,
      logGroupName: '/app',
      ...(accountId && { accountId }),
    });
    emulator.seed.bucket({ region: place, bucket: `archive-${place}` });
  }
  emulator.seed.bucket({ region, bucket: 'archive' });
  const dataDir = mkdtempSync(join(memoryFolder, 'log-export-gateway-queue-'));
  const database = await openReady({
    dataDir,
    databaseUrl: options.backend === 'postgres' ? await postgresUrl() : undefined,
    clock: () => time.now() + (options.clockOffMs?.() ?? 0),
  });

  const auditLines: LogLine[] = [];
  const audit = makeAudit({ write: (line: string) => void auditLines.push(JSON.parse(line)) });
  const log: LogLine[] = [];
  const write = (level: string) => (facts: object, text: string) =>
    void log.push({ level, ...facts, text });
  const logger = { info: write('info'), warn: write('warn'), error: write('error') };
  const open = async (configured: TargetSettings[]) => {
    const targets = openTargets({
      settings: configured,
      isSessionScoped: options.isSessionScoped ?? false,
      isSlotExclusive: false,
      random: () => 0,
      audit,
      timeouts: longTimeouts,
      callsPerSecond: 0,
      sessionName: 'test',
      now: time.now,
      elapsed: time.now,
      sleep: async () => {},
      log: logger,
    });
    await targets.whenReady;
    return targets;
  };
  const targets = await open(settings);
  const opened = [targets];
  emulator.journal.clear();
  const replicas: Replica[] = [];

  async function openReplica(faults: ReplicaOptions = {}): Promise<Replica> {
    const {
      diesAt,
      freezesAt,
      breaksAws,
      isUnchecked = () => false,
      seeDatabase = (database) => database,
    } = faults;
    const owner = `replica-${replicas.length}`;
    let isDead = false;
    let thaw: (() => void) | undefined;
    let thawed: Promise<void> | undefined;
    let hasFrozen = false;

    async function reach(point: CrashPoint): Promise<void> {
      await options.reach?.(point);
      if (point === diesAt && !isDead) {
        isDead = true;
        if (verificationPoints.includes(point)) {
          time.expectSleepers(-1);
          await new Promise(() => {}); // a verification has no loop that could die later
        }
        throw new Error(`killed ${point}`); // its transaction is rolled back
      }
      if (point === freezesAt && !hasFrozen) {
        hasFrozen = true;
        thawed = new Promise<void>((resolve) => {
          thaw = () => {
            thaw = undefined;
            thawed = undefined;
            resolve();
          };
        });
        await untilThawed();
      }
    }
    async function untilThawed(): Promise<void> {
      if (!thawed) return;
      time.expectSleepers(-1);
      await thawed;
      time.expectSleepers(1);
    }
    // All loops of a process die and freeze together.
    async function sleep(ms: number, signal: AbortSignal): Promise<void> {
      if (!isDead) await time.sleep(ms, signal);
      await untilThawed();
      if (!isDead) return;
      time.expectSleepers(-1);
      await new Promise(() => {});
    }
    function track(loop: Promise<void>): void {
      time.expectSleepers(1);
      void loop.then(() => time.expectSleepers(-1));
    }

    const own = faults.targets ? await open(faults.targets) : targets;
    if (own !== targets) opened.push(own);
    const dispatcher = openDispatcher({
      // Notifications arrive in real time, so virtual time would not be the same each time.
      database: seeDatabase({ ...database, listen: () => ({ [Symbol.dispose]() {} }) }),
      targets: {
        ...own,
        look(name) {
          const known = own.look(name);
          return known && isUnchecked() ? { ...known, state: 'unchecked' } : known;
        },
        forDispatcher(name) {
          const target = isUnchecked() ? undefined : own.forDispatcher(name);
          return target && seeTarget(breaksAws ? withBrokenReads(target) : target);
        },
      },
      authorizer: options.authorizer ?? openToAll.authorizer,
      timings: { ...dispatcherTimings, preflightMs: 600_000, ...options.timings },
      log: logger,
      owner,
      now: time.now,
      elapsed: time.now,
      sleep,
      random: options.random ?? Math.random,
      onChange: () => {},
      reach,
      track,
    });
    let isClosed = false;
    const replica: Replica = {
      dispatcher,
      owner,
      isDown: () => isDead || thaw !== undefined,
      thaw: () => thaw?.(),
      async close() {
        if (isClosed || isDead) return;
        isClosed = true;
        thaw?.();
        await dispatcher.close();
      },
    };
    replicas.push(replica);
    return replica;
  }
  for (let index = 0; index < (options.replicas ?? 1); index++) await openReplica();

  function wakeAll(): void {
    for (const { dispatcher } of replicas) dispatcher.wake();
  }

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
    time,
    database,
    targets,
    log,
    audit: auditLines,
    dispatchers: replicas.map(({ dispatcher }) => dispatcher),
    replicas,
    openReplica,
    async put(job) {
      const jobId = await insertHourlyJob(database, job);
      wakeAll();
      return jobId;
    },
    async cancel(jobId) {
      const of = database.queries.selectFrom('jobs').select('caller').where('id', '=', jobId);
      const { caller } = await of.executeTakeFirstOrThrow();
      await cancelJob(database, jobId, approvalOf(caller));
      wakeAll();
    },
    slices: readSlices,
    states: async (jobId) => (await readSlices(jobId)).map(({ state }) => state),
    async runUntilDone() {
      const isDone = async () => {
        const { open } = await database.queries
          .selectFrom('slices')
          .select((of) => of.fn.countAll<number>().as('open'))
          .where('state', 'in', ['waiting', 'starting', 'running', 'cancelling', 'verifying'])
          .executeTakeFirstOrThrow();
        return Number(open) === 0;
      };
      await time.runUntil(isDone);
    },
    calls: (operation) =>
      emulator.journal
        .entries()
        .filter((entry) => entry.operation === operation && entry.status !== 'late'),
    async [Symbol.asyncDispose]() {
      await Promise.all(replicas.map((replica) => replica.close()));
      for (const targets of opened) await targets[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
      await emulator.close();
      silence?.[Symbol.dispose]();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function withBrokenReads(target: OpenTarget): OpenTarget {
  const describeExportTasks = async () => {
    throw new Problem('aws-unavailable', 'AWS does not answer this replica.');
  };
  return { ...target, logs: { ...target.logs, describeExportTasks } };
}
