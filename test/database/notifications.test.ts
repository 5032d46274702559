import pg from 'pg';
import { describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import { openTcpProxy } from '../chaos/tcp-proxy.ts';
import { postgresUrl } from '../postgres-databases.ts';
import { openReady } from '../ready-database.ts';

type Line = [level: string, text: string];

/** A process that listens, its log, and what it hears. */
async function openListening(databaseUrl: string, sleep?: AbortableSleep) {
  const log: Line[] = [];
  const heard: string[] = [];
  const write = (level: string) => (_facts: object, text: string) => void log.push([level, text]);
  const database = await openReady({
    databaseUrl,
    dataDir: '',
    log: { info: write('info'), warn: write('warn'), error: write('error') },
    ...(sleep && { sleep }),
  });
  const listening = database.listen((text) => heard.push(text));
  return {
    log: log as readonly Line[],
    heard: heard as readonly string[],
    database,
    async [Symbol.asyncDispose]() {
      listening[Symbol.dispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

const broken = 'no notifications from the database, looking for work every second';
const listen = 'listen log_export_gateway';
const again = 'notifications from the database arrive again';

/** Pauses between attempts end at once. Everything else takes for ever. */
const impatient: AbortableSleep = (ms, signal) =>
  ms < 5_000
    ? new Promise(setImmediate)
    : new Promise((resolve) => signal.addEventListener('abort', () => resolve()));

const until = async (condition: () => boolean | Promise<boolean>) => {
  while (!(await condition())) await new Promise(setImmediate);
};

/** Sends a text over and over until a condition holds: nobody knows when a listener is connected. */
const sendUntil = (database: Database, text: string, condition: () => boolean) =>
  until(async () => {
    await database.transaction((queries) => database.notify(queries, text));
    return condition();
  });

async function listenersOf(url: string, run = 'select pid'): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rowCount } = await client.query(
    `${run} from pg_stat_activity where query like '%pg_notify($1, $2)%' and pid <> pg_backend_pid() and datname = current_database()`,
  );
  await client.end();
  return rowCount ?? 0;
}

describe('a notification', () => {
  test('reaches all processes when its transaction commits', async () => {
    const url = await postgresUrl();
    await using one = await openListening(url);
    await using other = await openListening(url);
    await sendUntil(one.database, 'first', () => one.heard.length > 0 && other.heard.length > 0);

    await one.database.transaction(async (queries) => {
      await one.database.notify(queries, 'a target');
    });

    await until(() => one.heard.includes('a target') && other.heard.includes('a target'));
    expect(new Set([...one.heard, ...other.heard])).toEqual(new Set(['first', 'a target']));
    expect(one.log).toEqual([]);
  });

  test('of a transaction that is rolled back is not sent', async () => {
    await using one = await openListening(await postgresUrl());
    await sendUntil(one.database, 'first', () => one.heard.length > 0);

    await one.database
      .transaction(async (queries) => {
        await one.database.notify(queries, 'rolled back');
        throw new Error('rolled back');
      })
      .catch(() => {});
    await sendUntil(one.database, 'last', () => one.heard.includes('last'));

    expect(one.heard).not.toContain('rolled back');
  });

  test('arrives again after the connection was lost, with one line in the log for each change', async () => {
    const url = await postgresUrl();
    await using one = await openListening(url, impatient);
    await sendUntil(one.database, 'first', () => one.heard.includes('first'));

    await until(() =>
      listenersOf(url, 'select pg_terminate_backend(pid)').then((found) => found > 0),
    );
    await until(() => one.log.some(([, text]) => text === broken));
    await sendUntil(one.database, 'second', () => one.heard.includes('second'));
    await until(() => one.log.some(([, text]) => text === again));

    expect(one.log).toEqual([
      ['warn', broken],
      ['info', again],
    ]);
  });
  test('that never arrives, as behind a pooler, is one line in the log, and nothing else fails', async () => {
    const url = new URL(await postgresUrl());
    await using pooler = await openTcpProxy(Number(url.port), (ends) => (chunk) => {
      const text = chunk.toString('latin1').replace(listen, 'select 1'.padEnd(listen.length));
      ends.toServer(Buffer.from(text, 'latin1'));
    });
    url.port = String(pooler.port);
    let attempts = 0;
    await using one = await openListening(url.href, (ms, signal) => {
      attempts += ms < 5_000 ? 1 : 0;
      return ms <= 5_000 ? new Promise(setImmediate) : impatient(ms, signal);
    });

    await sendUntil(one.database, 'a target', () => attempts >= 2);

    expect(one.log).toEqual([['warn', broken]]);
    expect(one.heard).toEqual([]);
  });
});
