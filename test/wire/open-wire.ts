import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';

import type { Audit } from '#audit/audit.ts';
import { type Access, openToAll } from '#auth/access.ts';
import { makeUnverifiedSignatures } from '#auth/authentication/signature/signatures.ts';
import type { WireKey } from '#auth/authentication/signature/wire-key.ts';
import { anonymous } from '#auth/principal.ts';
import { openDispatcher } from '#export-jobs/dispatcher/dispatcher.ts';
import type { DispatcherTimings } from '#export-jobs/dispatcher/timings.ts';
import { sleepUntilAborted } from '#time/sleep.ts';
import { chaosLimits } from '../chaos/shortened-limits.ts';
import { openWorld, region, type World, type WorldOptions } from '../world.ts';

/** Longer than a step takes on a busy machine. A lease is longer than a create. */
const longDeadlines = { leaseMs: 600_000, createDeadlineMs: 60_000, preflightMs: 60_000 };

/** The options of a test. */
export interface WireOptions extends Omit<WorldOptions, 'access' | 'jobs'> {
  /** Default: AUTH is `none`. */
  access?: (audit: Audit) => Access | Promise<Access>;
  jobs?: WorldOptions['jobs'];
  timings?: Partial<DispatcherTimings>;
  /** Whether tasks start. Default: true. */
  isDispatching?: boolean;
}

/** How a client differs from the defaults of the SDK. */
interface ClientOptions {
  /** Default: that of the world. */
  url?: string;
  /** Default: an unknown one, for AUTH=none. */
  keys?: WireKey;
}

/** A world that AWS clients can use as CloudWatch Logs, with a fast dispatcher. */
export interface Wire extends World {
  /** A client of the SDK with all its defaults. It is closed with the world. */
  client(options?: ClientOptions): CloudWatchLogsClient;
}

/** Opens a world for AWS clients. Use it with `await using`. */
export async function openWire(options: WireOptions = {}): Promise<Wire> {
  const { access = openWithoutAuth, jobs = {}, isDispatching = true, timings } = options;
  let authorizer = openToAll.authorizer;
  const world = await openWorld({
    ...options,
    jobs,
    async access(audit) {
      const opened = await access(audit);
      authorizer = opened.authorizer;
      return opened;
    },
    emulator: { pendingMs: 0, runningMs: 20, ...options.emulator },
  });
  const clients: CloudWatchLogsClient[] = [];
  const dispatcher =
    isDispatching &&
    openDispatcher({
      database: world.database,
      targets: world.targets,
      authorizer,
      timings: { ...chaosLimits, ...longDeadlines, secondMs: 20, idleMs: 20, ...timings },
      log: { info() {}, warn() {}, error() {} },
      owner: 'the dispatcher',
      now: Date.now,
      elapsed: () => performance.now(),
      sleep: sleepUntilAborted,
      random: Math.random,
      onChange: world.jobChanged,
    });
  return Object.defineProperties({} as Wire, {
    ...Object.getOwnPropertyDescriptors(world),
    client: {
      value({ url = world.url, keys = anyKeys }: ClientOptions = {}) {
        const client = new CloudWatchLogsClient({ endpoint: url, region, credentials: keys });
        clients.push(client);
        return client;
      },
    },
    [Symbol.asyncDispose]: {
      async value() {
        for (const client of clients) client.destroy();
        if (dispatcher) await dispatcher.close();
        await world[Symbol.asyncDispose]();
      },
    },
  });
}

const anyKeys: WireKey = { accessKeyId: 'anybody', secretAccessKey: 'of the test' };

const openWithoutAuth = (): Access => ({
  ...openToAll,
  signatures: makeUnverifiedSignatures(anonymous),
});
