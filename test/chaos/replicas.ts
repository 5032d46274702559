import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Emulator } from 'cloudwatch-logs-export-emulator/source';

import type { Database } from '#database/database.ts';
import { type CreateHandling, type CreateRequest, openAwsGate } from './aws-gate.ts';
import { type ReplicaProcess, startReplica } from './replica-process.ts';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** A replica that can be restarted. All of its processes use the same proxies to AWS and the database. */
export interface Replica extends AsyncDisposable {
  name: string;
  toAws: TcpProxy;
  toDatabase: TcpProxy;
  /** Returns the latest process, which may have ended. */
  process(): ReplicaProcess;
  /** Starts the next process, with `replica.ts` of another version of the project if it is given. */
  start(script?: string): ReplicaProcess;
  /** Kills the process. Resolves with whether it owned a slot with a slice of its own in `starting`. */
  kill(): Promise<boolean>;
  /** The same for a process that has killed itself. */
  wasStarting(): Promise<boolean>;
  /** Ends the process, and records a failure if it does not end in order. */
  end(): Promise<void>;
}

/** Options of a replica. */
export interface ReplicaOptions {
  index: number;
  databaseUrl: string;
  emulator: Emulator;
  /** The path of TARGETS_FILE. */
  targetsPath: string;
  logFile: number;
  processFailures: string[];
  /** The direct connection of the scenario. */
  database: Database;
  isServing: boolean;
  hasArchives: boolean;
  webhookOrigin: string | undefined;
  clockShiftsMs: readonly number[] | undefined;
  atCreate: (replica: Replica, create: CreateRequest) => Promise<CreateHandling>;
}

const compileCacheDir =
  process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'log-export-gateway-chaos-compiled');
const shiftedClock = fileURLToPath(new URL('shifted-clock.ts', import.meta.url));
const endTimeoutMs = 60_000; // shorter: a busy machine looks like a hanging process

/** Opens a replica and starts its first process. */
export async function openReplica(options: ReplicaOptions): Promise<Replica> {
  const { index, databaseUrl, emulator, targetsPath, logFile, processFailures, database } = options;
  const toAws = await openAwsGate(emulator.port, (create) => options.atCreate(replica, create));
  const url = new URL(databaseUrl);
  const toDatabase = await openTcpProxy(Number(url.port));
  url.port = String(toDatabase.port);
  const { isServing, hasArchives, webhookOrigin } = options;
  const name = `replica-${index}`;
  const shifts = options.clockShiftsMs;
  let starts = 0;
  let current: ReplicaProcess;

  const replica: Replica = {
    name,
    toAws,
    toDatabase,
    process: () => current,
    start(script) {
      starts += 1;
      const owner = `${name}-${starts}`;
      const started = startReplica(
        { owner, databaseUrl: url.href, targetsPath, isServing, hasArchives, webhookOrigin },
        {
          awsUrl: `http://127.0.0.1:${toAws.port}`,
          logFile,
          compileCacheDir,
          script,
          preload: shifts && {
            module: shiftedClock,
            env: { CLOCK_SHIFTS_MS: shifts.join(',') },
          },
        },
      );
      current = started;
      void started.ended.then(({ code, signal }) => {
        if (code !== 0 && signal !== 'SIGKILL') {
          processFailures.push(`${owner} ended unexpectedly with ${code ?? signal}`);
        }
      });
      return started;
    },
    async kill() {
      current.signal('SIGKILL');
      await current.ended;
      return replica.wasStarting();
    },
    async wasStarting() {
      const row = await database.queries
        .selectFrom('slices')
        .innerJoin('slots', 'slots.target', 'slices.target')
        .innerJoin('attempts', (join) =>
          join
            .onRef('attempts.jobId', '=', 'slices.jobId')
            .onRef('attempts.slice', '=', 'slices.number')
            .onRef('attempts.attempt', '=', 'slices.attempt')
            .onRef('attempts.fence', '=', 'slots.fence'),
        )
        .select('slices.number')
        .where('slices.state', '=', 'starting')
        .where('slots.owner', '=', current.owner)
        .executeTakeFirst();
      return row !== undefined;
    },
    async end() {
      await current.ready;
      if (current.hasEnded()) return;
      current.signal('SIGTERM');
      const timer = setTimeout(() => {
        processFailures.push(`${current.owner} did not end after SIGTERM`);
        current.signal('SIGKILL');
      }, endTimeoutMs);
      await current.ended;
      clearTimeout(timer);
    },
    async [Symbol.asyncDispose]() {
      current.signal('SIGKILL');
      await current.ended;
      await toAws[Symbol.asyncDispose]();
      await toDatabase[Symbol.asyncDispose]();
    },
  };
  replica.start();
  return replica;
}
