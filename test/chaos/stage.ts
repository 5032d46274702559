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
import { putJob } from '../export-jobs/put-job.ts';
import { createDatabase } from '../postgres.ts';
import type { CreateFate, SeenCreate } from './aws-gate.ts';
import type { Sighting } from './checker.ts';
import { openReplica, type Replica } from './replicas.ts';

/** What a scenario sets; the rest is as short as it can be. */
export interface StageOptions {
  /** Of the PostgreSQL server. */
  serverUrl: string;
  /** Ends everything early. */
  signal: AbortSignal;
  replicas?: number;
  targets?: number;
  emulator?: EmulatorOptions;
  /** Whether the replicas have the API in front; false when left out. */
  isServing?: boolean;
  /** Wrong clocks, by replica. */
  clockShiftsMs?: (index: number) => readonly number[];
  /** Done to the empty database before anybody uses it. */
  prepare?: (databaseUrl: string) => Promise<void>;
  /** Decides on every create, after its intent was looked up; by default it is passed on. */
  atCreate?: (replica: Replica, create: SeenCreate) => Promise<CreateFate> | CreateFate;
}

/** Replicas, a database and an emulator in which things will go wrong. */
export interface Stage extends AsyncDisposable {
  emulator: Emulator;
  database: Database;
  replicas: Replica[];
  targets: { name: string; region: string }[];
  /** Ids of jobs whose acceptance was confirmed. */
  accepted: string[];
  /** Ids of jobs whose cancel was confirmed. */
  cancelled: Set<string>;
  /** Ids of jobs whose slices cannot but fail. */
  doomed: Set<string>;
  sightings: Sighting[];
  /** What went wrong with the processes themselves. */
  accidents: string[];
  /** Puts so many slices into the queue, spread over the targets. */
  put(slices: number): Promise<void>;
  /** Keeps some work in every queue until told to stop. */
  keepBusy(): { stop(): Promise<void> };
  /** The log of the replicas, kept when something went wrong. */
  logPath: string;
  keepLog(): void;
}

const regions = [
  ...['eu-west-1', 'eu-west-2', 'eu-west-3', 'eu-north-1', 'eu-south-1', 'eu-central-1'],
  ...['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'ca-central-1', 'sa-east-1'],
];

/** Opens a stage; dispose of it with `await using`. */
export async function openStage(options: StageOptions): Promise<Stage> {
  const { serverUrl, signal, atCreate = () => ({ sendAfterMs: 0 }) } = options;
  await using unwinding = new AsyncDisposableStack();
  const emulator = unwinding.use(
    await openEmulator({
      rateLimits: 'off',
      pendingMs: 20,
      runningMs: 40,
      // AWS's own limit would hide that two of ours were in the slot.
      activeTaskLimit: 2,
      journalLimit: 1_000,
      ...options.emulator,
    }),
  );
  const targets = regions
    .slice(0, options.targets ?? 6)
    .map((region) => ({ name: region, region }));
  for (const { region } of targets) {
    emulator.seed.logGroup({ region, logGroupName: '/app' });
    emulator.seed.bucket({ region, bucket: `archive-${region}` });
  }
  const databaseUrl = await createDatabase(serverUrl);
  await options.prepare?.(databaseUrl);
  const database = unwinding.use(await openDatabase({ databaseUrl, dataDir: '' }));
  await database.whenMigrated;
  const folder = mkdtempSync(join(tmpdir(), 'log-export-gateway-chaos-'));
  let isLogKept = false;
  unwinding.defer(() => {
    if (!isLogKept) rmSync(folder, { recursive: true, force: true });
  });
  const logPath = join(folder, 'replicas.log');
  const logFile = openSync(logPath, 'a');
  unwinding.defer(() => closeSync(logFile));

  const accepted: string[] = [];
  const cancelled = new Set<string>();
  const doomed = new Set<string>();
  const sightings: Sighting[] = [];
  const accidents: string[] = [];

  async function isIntentKnown(marker: string): Promise<boolean | undefined> {
    const asked = database.queries.selectFrom('attempts').select('marker');
    const row = await asked
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
        targets,
        logFile,
        accidents,
        database,
        isServing: options.isServing ?? false,
        clockShiftsMs: options.clockShiftsMs?.(index),
        async atCreate(replica, create) {
          // One of the mirror has no intent to be on disk.
          if (create.marker.startsWith('xp1-')) {
            sightings.push({ ...create, isIntentKnown: await isIntentKnown(create.marker) });
          }
          return atCreate(replica, create);
        },
      }),
    ),
  );
  for (const replica of replicas) unwinding.use(replica);

  async function putSome(target: { name: string; region: string }, slices: number) {
    const destination = `archive-${target.region}`;
    accepted.push(await putJob(database, { target: target.name, slices, destination }));
  }

  async function fillUp(): Promise<void> {
    const queues = await database.queries
      .selectFrom('slices')
      .select('target')
      .where('state', '=', 'waiting')
      .groupBy('target')
      .execute();
    const waiting = new Set(queues.map((queue) => queue.target));
    for (const target of targets) {
      if (!waiting.has(target.name)) await putSome(target, 2);
    }
  }

  const undo = unwinding.move();
  return {
    emulator,
    database,
    replicas,
    targets,
    accepted,
    cancelled,
    doomed,
    sightings,
    accidents,
    logPath,
    async put(slices) {
      for (let left = slices, turn = 0; left > 0; turn += 1) {
        const target = targets[turn % targets.length];
        const some = Math.min(left, Math.ceil(slices / targets.length), 20);
        if (target) await putSome(target, some);
        left -= some;
      }
    },
    keepBusy() {
      let isOver = false;
      const filling = (async () => {
        while (!isOver && !signal.aborted) {
          await fillUp().catch(() => {}); // the database may be away
          await delay(100);
        }
      })();
      return {
        async stop() {
          isOver = true;
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
