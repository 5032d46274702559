import { randomUUID } from 'node:crypto';
import pg from 'pg';

import type { Log } from '#telemetry/log.ts';
import { makeOutageLog } from '#telemetry/outage-log.ts';
import { backOffMs } from '#time/back-off.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import { notificationChannel } from '../engine-sql.ts';
import { readPassword, readServers } from './servers.ts';

/** What a listener needs. */
export interface ListenerOptions {
  url: string;
  /** File with the password, read for each new connection; absent if it is in the URL. */
  passwordFile: string | undefined;
  /** Resolves when the database may be used. */
  whenReady: Promise<void>;
  connectMs: number;
  sleep: AbortableSleep;
  log: Log | undefined;
}

// Between attempts to connect.
const pauses = { firstMs: 1_000, maxMs: 60_000 };
// How often a notification to ourselves shows that they still arrive. Shorter: more statements for
// nothing. Longer: after a silent failure, jobs start a second later for longer.
const probeEveryMs = 60_000;
// How long that one may take. Shorter: a busy database looks like a broken one.
const probeTimeoutMs = 5_000;

// No target has such a name.
const probePrefix = 'probe ';

/**
 * Listens on a connection of its own and calls back with each notification. While that is impossible,
 * nothing else is affected: behind a pooler for transactions the connection works, but nothing arrives.
 */
export function openListener(options: ListenerOptions, act: (text: string) => void): Disposable {
  const { url, passwordFile, whenReady, connectMs, sleep, log } = options;
  const stop = new AbortController();
  let client: pg.Client | undefined;
  const outage = makeOutageLog({ log });
  let failures = 0;

  async function run(): Promise<void> {
    await whenReady;
    while (!stop.signal.aborted) {
      const err = await listenToPrimary().catch((error) => error);
      if (stop.signal.aborted) return;
      const text = 'no notifications from the database, looking for work every second';
      outage.failed({ err }, text, { alarmAfterMs: Number.POSITIVE_INFINITY }); // nobody must act
      await sleep(backOffMs(failures, pauses), stop.signal);
      failures += 1;
    }
  }

  // A standby refuses to listen, so of several servers only the primary does.
  async function listenToPrimary(): Promise<void> {
    let failure: unknown;
    for (const server of readServers(url)) {
      const opened = new pg.Client({
        ...server,
        connectionTimeoutMillis: connectMs,
        query_timeout: probeTimeoutMs,
        keepAlive: true,
        application_name: 'log-export-gateway',
        ...(passwordFile !== undefined && { password: await readPassword(passwordFile) }),
      });
      client = opened;
      const lost = new Promise<never>((_resolve, reject) => {
        opened.on('error', reject);
        opened.on('end', () => reject(new Error('The connection was closed.')));
      });
      lost.catch(() => {}); // while nobody waits for it
      try {
        await opened.connect();
        await opened.query(`listen ${notificationChannel}`);
        await Promise.race([lost, hear(opened)]);
        return;
      } catch (error) {
        failure = error;
      } finally {
        opened.end().catch(() => {});
      }
    }
    throw failure;
  }

  /** Returns when it is stopped. */
  async function hear(opened: pg.Client): Promise<void> {
    const probe = `${probePrefix}${randomUUID()}`;
    let confirmArrival = () => {};
    opened.on('notification', ({ payload = '' }) => {
      if (payload === probe) confirmArrival();
      else if (!payload.startsWith(probePrefix)) act(payload);
    });
    while (!stop.signal.aborted) {
      const arrived = new Promise<true>((resolve) => {
        confirmArrival = () => resolve(true);
      });
      await opened.query('select pg_notify($1, $2)', [notificationChannel, probe]);
      const ended = new AbortController();
      const timedOut = sleep(probeTimeoutMs, AbortSignal.any([ended.signal, stop.signal])).then(
        () => stop.signal.aborted,
      );
      const hasAnswer = await Promise.race([arrived, timedOut]);
      ended.abort();
      if (!hasAnswer) throw new Error('A notification was lost.');
      outage.worked({}, 'notifications from the database arrive again');
      failures = 0;
      await sleep(probeEveryMs, stop.signal);
    }
  }

  run().catch(() => {}); // the tables can never be used: the start has failed
  return {
    [Symbol.dispose]() {
      stop.abort();
      client?.end().catch(() => {});
    },
  };
}
