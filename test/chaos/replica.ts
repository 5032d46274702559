import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

import { openDatabase } from '#database/database.ts';
import { openDispatcher } from '#export-jobs/dispatcher/dispatcher.ts';
import type { CrashPoint } from '#export-jobs/dispatcher/slot.ts';
import { openTargets } from '#targets/open-targets.ts';
import { chaosLimits, chaosTimeouts } from './limits.ts';

/** What a replica is told at its start, as JSON in its first argument. */
export interface ReplicaSettings {
  owner: string;
  databaseUrl: string;
  targets: { name: string; region: string }[];
  trap?: Trap | undefined;
}

/** A point at which the replica ends or freezes itself, when it gets there for the n-th time. */
export interface Trap {
  point: CrashPoint;
  visit: number;
  signal: 'SIGKILL' | 'SIGSTOP';
}

/** What a replica tells whoever started it. */
export type ReplicaMessage = 'ready' | 'freezing';

const tell = (message: ReplicaMessage) =>
  new Promise<void>((resolve) => process.send?.(message, () => resolve()));

const {
  owner,
  databaseUrl,
  targets: settings,
  trap,
}: ReplicaSettings = JSON.parse(process.argv[2] ?? '');
process.once('disconnect', () => process.exit()); // nobody is left to end it

const write = (level: string) => (facts: object, text: string) =>
  process.stdout.write(`${owner} ${level} ${text} ${JSON.stringify(facts, plainErrors)}\n`);
const plainErrors = (_key: string, value: unknown) =>
  value instanceof Error ? { name: value.name, message: value.message } : value;
const log = { info: write('info'), warn: write('warn'), error: write('error') };

const sleep = (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }).catch(() => {});
const database = await openDatabase({ databaseUrl, dataDir: '' });
const targets = openTargets({
  settings,
  timeouts: chaosTimeouts,
  sessionName: 'chaos',
  now: Date.now,
  sleep,
  log,
});
const dispatcher = openDispatcher({
  database,
  targets,
  limits: chaosLimits,
  log,
  owner,
  elapsed: () => performance.now(),
  sleep,
  random: Math.random,
  onChange: () => {},
  ...(trap && { reach: spring(trap) }),
});
await targets.whenChecked;
await tell('ready');

await once(process, 'SIGTERM');
await dispatcher.close();
await targets[Symbol.asyncDispose]();
await database[Symbol.asyncDispose]();
process.disconnect();

function spring({ point, visit, signal }: Trap): (reached: CrashPoint) => Promise<void> {
  let visits = 0;
  return async (reached) => {
    if (reached !== point) return;
    visits += 1;
    if (visits !== visit) return;
    if (signal === 'SIGSTOP') await tell('freezing');
    process.kill(process.pid, signal);
  };
}
