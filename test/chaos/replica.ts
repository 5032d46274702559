import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { openArchives } from '#archives/open-archives.ts';
import { makeAudit } from '#audit/audit.ts';
import { openToAll } from '#auth/access.ts';
import { makeUnverifiedSignatures } from '#auth/authentication/signature/signatures.ts';
import { anonymous } from '#auth/principal.ts';
import { readConfig } from '#config/read-config.ts';
import { openDatabase } from '#database/open-database.ts';
import type { CrashPoint } from '#export-jobs/dispatcher/owned-slot.ts';
import { openExportJobs } from '#export-jobs/open-export-jobs.ts';
import { sleepUntilAborted } from '#time/sleep.ts';
import { openConfiguredTargets } from '../../src/open-configured-targets.ts';
import {
  chaosKeeperTimings,
  chaosLimits,
  chaosNotificationTimings,
  chaosTimeouts,
} from './shortened-limits.ts';

/** The settings of a replica, as JSON in its first argument. */
export interface ReplicaSettings {
  owner: string;
  databaseUrl: string;
  targetsPath: string;
  /** Whether it serves the API. Without it, it starts faster. */
  isServing: boolean;
  /** Whether it keeps archives. */
  hasArchives: boolean;
  /** The origin of the webhooks that it sends; without it, it sends none. */
  webhookOrigin?: string | undefined;
}

/** A point at which the replica kills or freezes itself, at its n-th visit from now. */
export interface Trap {
  point: CrashPoint;
  visit: number;
  signal: 'SIGKILL' | 'SIGSTOP';
}

/** A message of a replica to its parent. The parent may send it a `Trap`, or 'none'. */
export type ReplicaMessage =
  | { type: 'ready'; port: number | undefined }
  | { type: 'freezing' }
  /** It has read TARGETS_FILE, at its start or after a change. */
  | { type: 'configured'; targets: string[] };

const settings: ReplicaSettings = JSON.parse(process.argv[2] ?? '');
const { owner, databaseUrl, targetsPath } = settings;
// A scenario edits the file every few seconds.
const reloadIntervalMs = 200;
let trap: Trap | undefined;
process.on('message', (message) => {
  trap = message === 'none' ? undefined : (message as Trap);
});
process.once('disconnect', () => process.exit()); // the parent has ended

const write = (level: string) => (facts: object, text: string) =>
  void process.stdout.write(`${owner} ${level} ${text} ${JSON.stringify(facts, plainErrors)}\n`);
const plainErrors = (_key: string, value: unknown) =>
  value instanceof Error ? { name: value.name, message: value.message } : value;
const log = { info: write('info'), warn: write('warn'), error: write('error') };
const elapsed = () => performance.now();

const database = await openDatabase({ databaseUrl, dataDir: '', log });
await database.whenMigrated;
const audit = makeAudit({ write() {} });
const env = { TARGETS_FILE: targetsPath, DATABASE_URL: databaseUrl, AWS_CALLS_PER_SECOND: '0' };
const config = readConfig(env, (path) => readFileSync(path, 'utf8'));
const targets = await openConfiguredTargets(config, {
  audit,
  timeouts: chaosTimeouts,
  elapsed,
  sleep: sleepUntilAborted,
  sleepUntilReload: (ms, signal) => sleepUntilAborted(Math.min(ms, reloadIntervalMs), signal),
  log: { ...log, info: noteReload },
});
process.on('SIGHUP', targets.recheck);
await sendConfigured();
const jobs = openExportJobs(database, {
  targets,
  log,
  owner,
  now: Date.now,
  elapsed,
  sleep: sleepUntilAborted,
  reach,
  authorizer: openToAll.authorizer,
  timings: chaosLimits,
  random: Math.random,
  keep: config.keep,
});
const archives = settings.hasArchives
  ? openArchives(database, {
      targets,
      log,
      owner,
      now: Date.now,
      elapsed,
      sleep: sleepUntilAborted,
      newId: randomUUID,
      authorizer: openToAll.authorizer,
      timings: chaosKeeperTimings,
      heartbeatOrigins: [],
      onJobChange: jobs.watch.changed,
      wake: jobs.wake,
    })
  : undefined;
const { webhookOrigin } = settings;
const notifications = webhookOrigin === undefined ? undefined : await openWebhooks([webhookOrigin]);
const app = settings.isServing ? await serve() : undefined;
await targets.whenReady;
const stopped = once(process, 'SIGTERM'); // the parent may send it as soon as this is ready
await send({ type: 'ready', port: (app?.server.address() as AddressInfo | undefined)?.port });

await stopped;
await notifications?.close();
await archives?.close();
await jobs.close();
await app?.close();
await targets[Symbol.asyncDispose]();
await database[Symbol.asyncDispose]();
process.disconnect();

/** Tells the parent when a changed file has been taken over. */
function noteReload(facts: object, text: string): void {
  log.info(facts, text);
  if (text === 'reloaded changed files') void sendConfigured();
}

function sendConfigured(): Promise<void> {
  return send({ type: 'configured', targets: Array.from(targets.list(), ({ name }) => name) });
}

function send(message: ReplicaMessage): Promise<void> {
  return new Promise((resolve) => process.send?.(message, () => resolve()));
}

async function openWebhooks(origins: readonly string[]) {
  const { openNotifications } = await import('#notifications/open-notifications.ts');
  const { makeWebhookSender } = await import('#webhook-endpoints/signing/send-webhook.ts');
  return openNotifications({
    database,
    targets,
    log,
    owner,
    now: Date.now,
    elapsed,
    sleep: sleepUntilAborted,
    random: Math.random,
    basePath: '',
    timings: chaosNotificationTimings,
    sendWebhook: makeWebhookSender({ ...openToAll, origins, elapsed }),
  });
}

async function serve() {
  const { buildApp } = await import('../../src/app.ts');
  const { makeLogger } = await import('#telemetry/logger.ts');
  const app = await buildApp({
    targets,
    jobs,
    archives,
    elapsed,
    now: Date.now,
    newId: randomUUID,
    sleep: (ms) => delay(ms),
    log: makeLogger('warn', process.stdout),
    access: { ...openToAll, signatures: makeUnverifiedSignatures(anonymous) },
    audit,
    isStopping: () => false,
    random: Math.random,
    loopDelayMs: () => 0,
    rateLimits: { createsPerMinute: 0, requestsPerMinute: 0 },
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return app;
}

async function reach(point: CrashPoint): Promise<void> {
  if (trap?.point !== point) return;
  trap.visit -= 1;
  if (trap.visit > 0) return;
  const { signal } = trap;
  trap = undefined;
  if (signal === 'SIGSTOP') await send({ type: 'freezing' });
  process.kill(process.pid, signal);
}
