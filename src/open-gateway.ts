import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';

import { keeperTimings } from '#archives/keeper/timings.ts';
import { openArchives } from '#archives/open-archives.ts';
import { openAudit } from '#audit/open-audit.ts';
import { awsTimeouts } from '#aws/client/timeouts.ts';
import { checkSurroundings } from '#config/check-aws-settings.ts';
import { toListenError } from '#config/listen-error.ts';
import type { Config } from '#config/read-config.ts';
import { openDatabase } from '#database/open-database.ts';
import { edgeLimits } from '#edge/limits.ts';
import { openLoopDelay } from '#edge/overload/loop-delay.ts';
import { dispatcherTimings } from '#export-jobs/dispatcher/timings.ts';
import { openExportJobs } from '#export-jobs/open-export-jobs.ts';
import { makeReloadSignal } from '#files/reload-signal.ts';
import { openNotifications } from '#notifications/open-notifications.ts';
import { notificationTimings } from '#notifications/timings.ts';
import { sleepUntilAborted } from '#time/sleep.ts';
import { makeWebhookSender } from '#webhook-endpoints/signing/send-webhook.ts';
import { buildApp } from './app.ts';
import { logAuthMode, openAccess } from './open-access.ts';
import { openConfiguredMetrics } from './open-configured-metrics.ts';
import { openConfiguredTargets } from './open-configured-targets.ts';
import { openConfiguredTraces } from './open-configured-traces.ts';

/** The running service. */
export interface Gateway {
  /** The URL it listens on. */
  url: string;
  /** The URL of the metrics, if they are served. */
  metricsUrl: string | undefined;
  /** Resolves when the service is ready for traffic; rejects if it can never be. */
  ready: Promise<void>;
  /** Reads the policies, keys, certificates and targets again, and checks unusable targets at once. */
  reload(): void;
  /** Withdraws readiness, serves on for the lame-duck phase, finishes requests in flight, then closes. */
  close(): Promise<void>;
}

/** The configuration of the gateway, and what does not come from the environment. */
export interface GatewayOptions {
  config: Config;
  log: Logger;
  /** How long to serve on after readiness is withdrawn, in milliseconds: load balancers need time to notice. */
  lameDuckMs: number;
  /** Replaces the clocks of this process and of its database, in epoch ms: for a demo in turned time. */
  clock?: () => number;
}

/**
 * Opens the service: listens at once. It is ready when every target was tried once or ten seconds have
 * passed, one target is ready, and the tables of the export jobs are up to date.
 */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, log, lameDuckMs, clock } = options;
  const now = clock ?? Date.now;
  await checkSurroundings(config, log);
  let isStopping = false;
  const elapsed = () => performance.now();
  const files = makeReloadSignal(sleepUntilAborted);
  const listening = Promise.withResolvers<void>();
  await using opening = new AsyncDisposableStack(); // closes everything if the start fails
  const use: Use = (what, opened) => {
    opening.defer(() => closeInTime(what, () => opened[Symbol.asyncDispose](), log));
    return opened;
  };
  const audit = use('audit', await openAudit(config.auditLog, log)); // closed last: the others write to it
  const traces = config.traces && (await openConfiguredTraces(config.traces, { elapsed, log }));
  let tracesClosed: Promise<void> | undefined;
  opening.defer(() => tracesClosed);
  const { access, tls } = use(
    'access',
    await openAccess(config, { audit, log, elapsed, sleep: files.sleep }),
  );
  const database =
    config.jobs &&
    use('database', await openDatabase({ ...config.jobs, log, ...(clock && { clock }) }));
  const targets = use(
    'targets',
    await openConfiguredTargets(config, {
      audit,
      timeouts: awsTimeouts,
      log,
      elapsed,
      sleep: sleepUntilAborted,
      checkWhen: listening.promise, // a thousand checks would delay it
      sleepUntilReload: files.sleep,
    }),
  );
  opening.defer(() => {
    // The last spans are sent while the others close.
    tracesClosed = traces && closeInTime('traces', () => traces[Symbol.asyncDispose](), log);
  });
  // What the dispatcher, the keeper and the notifications share.
  const work = database && {
    targets,
    authorizer: access.authorizer,
    // One process at a time uses SQLite: leases of an earlier one are ours at once.
    owner: database.kind === 'sqlite' ? 'the one process' : randomUUID(),
    now,
    elapsed,
    sleep: sleepUntilAborted,
    log,
  };
  const jobs =
    work &&
    openExportJobs(database, {
      ...work,
      maxWaitingSlices: config.limits.waitingSlices,
      maxWatchers: config.limits.watchers,
      verification: config.verification,
      keep: config.keep,
      timings: dispatcherTimings,
      random: Math.random,
    });
  if (jobs) opening.defer(() => closeInTime('jobs', jobs.close, log));
  const archives =
    jobs &&
    openArchives(database, {
      ...work,
      timings: keeperTimings,
      heartbeatOrigins: config.heartbeatOrigins,
      newId: randomUUID,
      onJobChange: jobs.watch.changed,
      wake: jobs.wake,
    });
  if (archives) opening.defer(() => closeInTime('archives', archives.close, log));
  const { webhooks, basePath } = config;
  const notifications =
    work &&
    openNotifications({
      ...work,
      database,
      sendWebhook: webhooks && makeWebhookSender({ ...work, origins: webhooks.origins }),
      basePath,
      timings: notificationTimings,
      random: Math.random,
    });
  if (notifications) opening.defer(() => closeInTime('notifications', notifications.close, log));
  const metrics =
    config.metrics &&
    use(
      'metrics',
      await openConfiguredMetrics(config.metrics, { targets, database, elapsed, log }),
    );
  const loopDelay = opening.use(openLoopDelay());
  const { allowedHosts, corsOrigins, keepAliveMs } = config.edge;
  const app = await buildApp({
    log,
    targets,
    access,
    tls,
    audit,
    jobs,
    archives,
    webhookEndpoints: webhooks && {
      ...webhooks,
      wake: () => notifications?.wake(),
      newKey: () => randomBytes(32),
    },
    elapsed,
    rateLimits: config.limits,
    allowedHosts,
    corsOrigins,
    limits: { ...edgeLimits, keepAliveMs },
    basePath,
    isUiOn: config.isUiOn,
    isStopping: () => isStopping,
    now,
    sleep: (ms) => delay(ms),
    newId: randomUUID,
    random: Math.random,
    loopDelayMs: loopDelay.currentMs,
  });
  opening.defer(() => app.close());
  const ready = Promise.all([targets.whenReady, database?.whenMigrated]).then(() => {});
  ready.then(loopDelay.restart, () => {}); // a failure goes to the caller that awaits it

  logAuthMode(config, log);
  const { host, port } = config;
  const url = await app.listen({ host, port }).catch((error: unknown) => {
    throw toListenError(error, { host, port });
  });
  listening.resolve();
  const opened = opening.move();
  return {
    url,
    metricsUrl: metrics?.url,
    ready,
    reload() {
      files.reload();
      targets.recheck();
    },
    async close() {
      isStopping = true;
      void archives?.close();
      void notifications?.close();
      void jobs?.close(); // starts no further slice; callers are served on
      await delay(lameDuckMs);
      await opened.disposeAsync();
    },
  };
}

type Use = <Opened extends AsyncDisposable>(
  what: keyof typeof closeWithinMs,
  opened: Opened,
) => Opened;

/**
 * How long each part may take to close, in milliseconds, after the lame-duck phase and the requests in
 * flight. Together they end before the process is killed. A part that does not close in time loses
 * nothing: accepted jobs are on disk, and audit lines are left only if nobody reads them.
 */
const closeWithinMs = {
  metrics: 100,
  notifications: 200, // what is being sent is sent again by the next process
  archives: 200,
  jobs: 1_000,
  traces: 1_000, // at the same time as the next three
  targets: 100,
  database: 700,
  access: 300,
  audit: 500,
};

/** Waits for a part to close, but not longer than its time. */
async function closeInTime(
  what: keyof typeof closeWithinMs,
  close: () => PromiseLike<void>,
  log: Logger,
): Promise<void> {
  const closed = close().then(() => true);
  const timedOut = delay(closeWithinMs[what], false, { ref: false });
  if (await Promise.race([closed, timedOut])) return;
  log.warn({ what, withinMs: closeWithinMs[what] }, 'did not close in time, stopping without it');
}
