import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Emulator } from 'cloudwatch-logs-export-emulator/source';

import type { Database } from '#database/database.ts';
import { type CreateFate, openAwsGate, type SeenCreate } from './aws-gate.ts';
import { type ReplicaProcess, startReplica } from './replica-process.ts';
import { openTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** One place of a replica: process after process, each with the same ways to AWS and the database. */
export interface Replica extends AsyncDisposable {
  name: string;
  toAws: TcpProxy;
  toDatabase: TcpProxy;
  /** The latest process; it may have ended. */
  process(): ReplicaProcess;
  /** Starts the next process. */
  start(): ReplicaProcess;
  /** Kills the process; resolves with whether it held a slot with a slice of its own in `starting`. */
  kill(): Promise<boolean>;
  /** As after a kill, when it has killed itself. */
  wasStarting(): Promise<boolean>;
  /** Asks the process to end, and notes an accident if it does not do so properly. */
  end(): Promise<void>;
}

/** What a place is opened with. */
export interface ReplicaPlace {
  index: number;
  databaseUrl: string;
  emulator: Emulator;
  targets: { name: string; region: string }[];
  logFile: number;
  accidents: string[];
  /** The way of the evaluate. */
  database: Database;
  isServing: boolean;
  clockShiftsMs: readonly number[] | undefined;
  atCreate: (replica: Replica, create: SeenCreate) => Promise<CreateFate>;
}

const compileCacheDir =
  process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'log-export-gateway-chaos-compiled');
const shiftedClock = fileURLToPath(new URL('shifted-clock.ts', import.meta.url));
const endsWithinMs = 60_000; // ends what hangs; a busy machine takes its time

/** Opens a place and starts its first process. */
export async function openReplica(place: ReplicaPlace): Promise<Replica> {
  const { index, databaseUrl, emulator, targets, logFile, accidents, database } = place;
  const toAws = await openAwsGate(emulator.port, (create) => place.atCreate(replica, create));
  const url = new URL(databaseUrl);
  const toDatabase = await openTcpProxy(Number(url.port));
  url.port = String(toDatabase.port);
  const name = `replica-${index}`;
  const shifts = place.clockShiftsMs;
  let starts = 0;
  let current: ReplicaProcess;

  const replica: Replica = {
    name,
    toAws,
    toDatabase,
    process: () => current,
    start() {
      starts += 1;
      const owner = `${name}-${starts}`;
      const started = startReplica(
        { owner, databaseUrl: url.href, targets, isServing: place.isServing },
        {
          awsUrl: `http://127.0.0.1:${toAws.port}`,
          logFile,
          compileCacheDir,
          preload: shifts && {
            module: shiftedClock,
            env: { CLOCK_SHIFTS_MS: shifts.join(',') },
          },
        },
      );
      current = started;
      void started.ended.then(({ code, signal }) => {
        if (code !== 0 && signal !== 'SIGKILL') {
          accidents.push(`${owner} ended by itself with ${code ?? signal}`);
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
        accidents.push(`${current.owner} did not end when told to`);
        current.signal('SIGKILL');
      }, endsWithinMs);
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
