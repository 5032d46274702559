import { type Emulator, openEmulator } from 'cloudwatch-logs-export-emulator/source';
import type { Insertable, Selectable } from 'kysely';

import type { Database } from '#database/database.ts';
import type { DeliveryRow, WebhookEndpointRow } from '#database/rows/notification-rows.ts';
import type {
  DeliveryResult,
  SendWebhook,
} from '#notifications/deliveries/tries/delivery-result.ts';
import {
  type Notifications,
  type NotificationsOptions,
  openNotifications,
} from '#notifications/open-notifications.ts';
import { recordEvent } from '#notifications/record-event.ts';
import { notificationTimings } from '#notifications/timings.ts';
import { openStore, type storageBackends } from '../export-jobs/storage-backends.ts';
import { makeVirtualTime, type VirtualTime } from '../export-jobs/virtual-time.ts';
import type { LogLine } from '../world.ts';

/** The start of the time of each test. */
export const start = Date.UTC(2026, 0, 1);
const caller = 'alice';

type Answer = Omit<DeliveryResult, 'durationMs'>;

/** What a test says about a webhook that is sent: the answer, after some time. */
export type Receiver = (sent: {
  url: string;
  id: string;
  body: string;
  secrets: readonly string[];
}) => { afterMs: number; answer: Answer };

/** What a receiver was sent. */
interface Received {
  at: number;
  url: string;
  id: string;
  type: string;
  data: Record<string, unknown>;
  secrets: readonly string[];
}

/** Notifications in virtual time. Webhooks are answered by the test, sinks by the emulator. */
export interface Post extends AsyncDisposable {
  database: Database;
  emulator: Emulator;
  time: VirtualTime;
  /** How far the clock of the database is ahead of `time`. */
  databaseClock: { aheadMs: number };
  log: LogLine[];
  /** Everything that was sent, in its order. */
  received: Received[];
  /** The largest number of webhooks that were sent at once: in all, and to one URL. */
  mostAtOnce: { all: number; toOne: number };
  addEndpoint(values?: Partial<Insertable<WebhookEndpointRow>>): Promise<string>;
  /** Records that a job has ended. Returns its id. */
  endJob(values?: {
    caller?: string;
    target?: string;
    version?: number;
    jobId?: string;
  }): Promise<string>;
  endpoint(id: string): Promise<Selectable<WebhookEndpointRow>>;
  deliveries(destination?: string): Promise<Selectable<DeliveryRow>[]>;
  /** Opens a replica. */
  open(options?: Partial<NotificationsOptions>): Notifications;
}

/** Opens notifications on a storage backend, without a replica. */
export async function openPost(
  openStorage: (typeof storageBackends)[number][1],
  receive: Receiver = () => ({ afterMs: 10, answer: { outcome: 'delivered', status: 204 } }),
): Promise<Post> {
  const emulator = await openEmulator({ startAt: start });
  const time = makeVirtualTime(emulator);
  const databaseClock = { aheadMs: 0 };
  const database = await openStore(openStorage, () => time.now() + databaseClock.aheadMs);
  const log: LogLine[] = [];
  const write = (level: string) => (facts: object, msg: string) =>
    void log.push({ level, msg, ...facts } as LogLine);
  const received: Received[] = [];
  const sending = new Map<string, number>();
  const mostAtOnce = { all: 0, toOne: 0 };
  const opened: Notifications[] = [];
  let jobs = 0;

  const sendWebhook: SendWebhook = async ({ url, secrets }, { id, body }) => {
    const { type, data } = JSON.parse(body);
    received.push({ at: time.now(), url, id, type, data, secrets });
    sending.set(url, (sending.get(url) ?? 0) + 1);
    mostAtOnce.all = Math.max(
      mostAtOnce.all,
      [...sending.values()].reduce((sum, count) => sum + count, 0),
    );
    mostAtOnce.toOne = Math.max(mostAtOnce.toOne, ...sending.values());
    const { afterMs, answer } = receive({ url, id, body, secrets });
    await time.sleep(afterMs);
    sending.set(url, (sending.get(url) ?? 0) - 1);
    return { ...answer, durationMs: afterMs };
  };

  return {
    database,
    emulator,
    time,
    databaseClock,
    log,
    received,
    mostAtOnce,
    async addEndpoint(values = {}) {
      const id = values.id ?? `endpoint-${Math.random().toString(36).slice(2)}`;
      await database.queries
        .insertInto('webhookEndpoints')
        .values({
          id,
          caller,
          principal: '{}',
          url: `https://${id}.example.com/secret-path`,
          description: null,
          eventTypes: null,
          secret: 'whsec_new',
          previousSecret: null,
          previousSecretUntil: null,
          createdAt: time.now(),
          disabledAt: null,
          disabledReason: null,
          failingSince: null,
          idempotencyKey: null,
          digest: null,
          ...values,
        })
        .execute();
      return id;
    },
    async endJob({ jobId = `job-${jobs}`, version = 4, ...values } = {}) {
      jobs += 1;
      const subject = { caller, target: 'prod', jobId, version, ...values };
      await database.transaction((queries) =>
        recordEvent(queries, database, subject, async () => ({
          type: 'export_job.completed',
          data: { state: 'completed' },
        })),
      );
      for (const each of opened) each.wake(); // PostgreSQL would notify it
      return jobId;
    },
    endpoint: (id) =>
      database.queries
        .selectFrom('webhookEndpoints')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirstOrThrow(),
    deliveries: (destination) =>
      database.queries
        .selectFrom('deliveries')
        .selectAll()
        .$if(destination !== undefined, (query) =>
          query.where('destination', '=', destination ?? ''),
        )
        .orderBy('at')
        .orderBy('eventId')
        .execute(),
    open(options = {}) {
      const notifications = openNotifications({
        database: {
          ...database,
          // Notifications arrive in real time, so virtual time would not be the same each time.
          ...(database.kind === 'postgres' && { listen: () => ({ [Symbol.dispose]() {} }) }),
        },
        targets: {
          find() {
            throw new Error('there is no target');
          },
          listSinks: () => [],
        },
        sendWebhook,
        basePath: '/export',
        owner: `replica-${opened.length}`,
        log: { info: write('info'), warn: write('warn'), error: write('error') },
        now: time.now,
        elapsed: time.now,
        random: () => 0.5,
        sleep: time.sleep,
        timings: { ...notificationTimings, pollMs: 3_600_000 }, // polls of days would take minutes
        track(loop) {
          time.expectSleepers(1);
          void loop.then(() => time.expectSleepers(-1));
        },
        ...options,
      });
      opened.push(notifications);
      return notifications;
    },
    async [Symbol.asyncDispose]() {
      const closed = Promise.all(opened.map((each) => each.close()));
      await time.runFor(60_000); // what is being sent ends
      await closed;
      await database[Symbol.asyncDispose]();
      await emulator.close();
    },
  };
}
