import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type Emulator,
  type EmulatorOptions,
  openEmulator,
} from 'cloudwatch-logs-export-emulator/source';

import type { Database } from '#database/database.ts';
import { openDatabase } from '#database/open-database.ts';
import { insertHourlyJob } from '../export-jobs/insert-hourly-job.ts';
import { createDatabase } from '../postgres.ts';
import { patientLimits } from '../ready-database.ts';
import type { CreateHandling, CreateRequest } from './aws-gate.ts';
import type { Absence } from './check-targets.ts';
import type { ObservedCreate } from './checker.ts';
import {
  bucketOf,
  type ClusterTarget,
  makeTargetsFile,
  seedTargets,
  type TargetsFile,
  targetsInRegions,
} from './cluster-targets.ts';
import { openReplica, type Replica } from './replicas.ts';

/** The options of a scenario. All other times are as short as possible. */
export interface ClusterOptions {
  /** The URL of the PostgreSQL server. */
  serverUrl: string;
  /** Aborts the scenario. */
  signal: AbortSignal;
  replicas?: number;
  /** Default: six targets in Regions of one account. */
  targets?: readonly ClusterTarget[];
  /** Those that are in the configuration at first. Default: all. */
  configured?: readonly ClusterTarget[];
  emulator?: EmulatorOptions;
  /** Whether the replicas serve the API. Default: false. */
  isServing?: boolean;
  /** Whether the replicas keep archives. Default: false. */
  hasArchives?: boolean;
  /** The origin of the webhooks that the replicas send. Default: they send none. */
  webhookOrigin?: string;
  /** Whether replicas of the version before the newest migration take part. Default: false. */
  hasOldReplicas?: boolean;
  /** Wrong clocks, by replica. */
  clockShiftsMs?: (index: number) => readonly number[];
  /** Prepares the empty database. */
  prepare?: (databaseUrl: string) => Promise<void>;
  /** Decides on every create, after its intent was looked up. Default: it is forwarded. */
  atCreate?: (replica: Replica, create: CreateRequest) => Promise<CreateHandling> | CreateHandling;
}

/** Replicas, a database and an emulator for fault injection. */
export interface Cluster extends AsyncDisposable {
  emulator: Emulator;
  database: Database;
  replicas: Replica[];
  targets: readonly ClusterTarget[];
  /** The configuration of the replicas. */
  targetsFile: TargetsFile;
  /** When targets were in no configuration. */
  absences: Absence[];
  /** The ids of jobs whose acceptance was confirmed. */
  accepted: string[];
  /** The ids of jobs whose cancel was confirmed. */
  cancelled: Set<string>;
  /** The ids of jobs all of whose slices must fail. */
  expectedToFail: Set<string>;
  hasOldReplicas: boolean;
  observedCreates: ObservedCreate[];
  /** Unexpected ends of processes. */
  processFailures: string[];
  /** Adds slices to the queues, spread over the targets. */
  put(slices: number): Promise<void>;
  /** Keeps some work in every queue until stopped. */
  keepBusy(): { stop(): Promise<void> };
  /** The log of the replicas. `keepLog` keeps it after the run. */
  logPath: string;
  keepLog(): void;
}

/** Opens a cluster. Use it with `await using`. */
export async function openCluster(options: ClusterOptions): Promise<Cluster> {
  const { serverUrl, signal, atCreate = () => ({ sendAfterMs: 0 }) } = options;
  await using unwinding = new AsyncDisposableStack();
  const emulator = unwinding.use(
    await openEmulator({
      rateLimits: 'off',
      pendingMs: 20,
      runningMs: 40,
      // The limit of AWS would hide two of our tasks in one slot.
      activeTaskLimit: 2,
      journalLimit: 1_000,
      ...options.emulator,
    }),
  );
  const targets = options.targets ?? targetsInRegions(6);
  seedTargets(emulator, targets);
  const databaseUrl = await createDatabase(serverUrl);
  await options.prepare?.(databaseUrl);
  const database = unwinding.use(
    await openDatabase({ databaseUrl, dataDir: '', limits: patientLimits }),
  );
  await database.whenMigrated;
  const folder = mkdtempSync(join(tmpdir(), 'log-export-gateway-chaos-'));
  let isLogKept = false;
  unwinding.defer(() => {
    if (!isLogKept) rmSync(folder, { recursive: true, force: true });
  });
  const targetsFile = makeTargetsFile(folder);
  targetsFile.write(options.configured ?? targets);
  const logPath = join(folder, 'replicas.log');
  const logFile = openSync(logPath, 'a');
  unwinding.defer(() => closeSync(logFile));

  const absences: Absence[] = [];
  const accepted: string[] = [];
  const cancelled = new Set<string>();
  const expectedToFail = new Set<string>();
  const observedCreates: ObservedCreate[] = [];
  const processFailures: string[] = [];

  async function isIntentKnown(marker: string): Promise<boolean | undefined> {
    const row = await database.queries
      .selectFrom('attempts')
      .select('marker')
      .where('marker', '=', marker)
      .executeTakeFirst()
      .catch(() => 'unknown' as const);
    return row === 'unknown' ? undefined : row !== undefined;
  }

  const replicas = await Promise.all(
    Array.from({ length: options.replicas ?? 3 }, (_, index) =>
      openReplica({
        index,
        databaseUrl,
        emulator,
        targetsPath: targetsFile.path,
        logFile,
        processFailures,
        database,
        isServing: options.isServing ?? false,
        hasArchives: options.hasArchives ?? false,
        webhookOrigin: options.webhookOrigin,
        clockShiftsMs: options.clockShiftsMs?.(index),
        async atCreate(replica, create) {
          // A create of the mirror has no intent in the database.
          if (create.marker.startsWith('xp1-')) {
            observedCreates.push({ ...create, isIntentKnown: await isIntentKnown(create.marker) });
          }
          return atCreate(replica, create);
        },
      }),
    ),
  );
  for (const replica of replicas) unwinding.use(replica);

  async function addJob(target: ClusterTarget, slices: number) {
    const destination = bucketOf(target);
    const job = { target: target.name, slices, destination, verification: 'objects' } as const;
    accepted.push(await insertHourlyJob(database, job));
  }

  async function fillQueues(): Promise<void> {
    const queues = await database.queries
      .selectFrom('slices')
      .select('target')
      .where('state', '=', 'waiting')
      .groupBy('target')
      .execute();
    const waiting = new Set(queues.map((queue) => queue.target));
    for (const target of targets) {
      if (!waiting.has(target.name)) await addJob(target, 2);
    }
  }

  const undo = unwinding.move();
  return {
    emulator,
    database,
    replicas,
    targets,
    targetsFile,
    absences,
    accepted,
    cancelled,
    expectedToFail,
    hasOldReplicas: options.hasOldReplicas ?? false,
    observedCreates,
    processFailures,
    logPath,
    async put(slices) {
      for (let left = slices, index = 0; left > 0; index += 1) {
        const target = targets[index % targets.length];
        const size = Math.min(left, Math.ceil(slices / targets.length), 20);
        if (target) await addJob(target, size);
        left -= size;
      }
    },
    keepBusy() {
      let isStopped = false;
      const filling = (async () => {
        while (!isStopped && !signal.aborted) {
          await fillQueues().catch(() => {}); // the database may be unavailable
          await delay(100);
        }
      })();
      return {
        async stop() {
          isStopped = true;
          await filling;
        },
      };
    },
    keepLog() {
      isLogKept = true;
    },
    [Symbol.asyncDispose]: () => undo[Symbol.asyncDispose](),
  };
}
