import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { openDatabase } from '#database/open-database.ts';
import { makeAuthority } from '../auth/certificates.ts';
import { createDatabase, openPostgres, type Postgres } from '../postgres.ts';
import { openReady } from '../ready-database.ts';
import { keysIn, temporaryDir } from './homes.ts';
import { makeLog } from './log.ts';

// Own servers, because their changed settings would break other tests.
let postgres: Postgres;
let other: Postgres;
beforeAll(async () => {
  [postgres, other] = await Promise.all([openPostgres(), openPostgres()]);
});
afterAll(() => Promise.all([postgres, other].map((server) => server?.[Symbol.asyncDispose]())));

const unavailable = { name: 'Problem', slug: 'database-unavailable' };

/** Runs SQL as the superuser. */
async function administrate(url: string, ...texts: string[]): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const rows = [];
    for (const text of texts) rows.push(...(await client.query(text)).rows);
    return rows;
  } finally {
    await client.end();
  }
}

const endConnections = (role: string) =>
  `select pg_terminate_backend(pid, 10_000) from pg_stat_activity where usename = '${role}'`;

describe('a password in a file', () => {
  test('is read for each new connection, so it may change at run time', async () => {
    const url = await createDatabase(postgres.url);
    const name = new URL(url).pathname.slice(1);
    const role = `gateway_${name}`;
    await administrate(
      url,
      `create role ${role} login password 'first'`,
      `alter database ${name} owner to ${role}`,
    );
    const databasePasswordFile = join(temporaryDir(), 'password');
    writeFileSync(databasePasswordFile, 'first\n');
    const databaseUrl = Object.assign(new URL(url), { username: role, password: '' }).href;
    const log = makeLog();
    const options = { dataDir: '', databaseUrl, databasePasswordFile, log };
    await using database = await openReady(options);
    await keysIn(database);

    await administrate(url, `alter role ${role} password 'second'`, endConnections(role));
    await expect(keysIn(database)).rejects.toMatchObject(unavailable);
    await expect(keysIn(database)).rejects.toMatchObject(unavailable);
    writeFileSync(databasePasswordFile, 'second\n');

    expect(await keysIn(database)).toEqual([]);
    const told = log.lines.filter((line) => !line.includes('connection to the database was lost'));
    expect(told).toEqual([
      expect.stringMatching(/^DATABASE_URL names .* check its user and its password, .*\.$/),
      'database reachable again',
    ]);
  });

  test('is rejected at the start when the file is not readable', async () => {
    const databaseUrl = await createDatabase(postgres.url);

    await expect(
      openReady({ dataDir: '', databaseUrl, databasePasswordFile: '/nonexistent' }),
    ).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(
        /^DATABASE_PASSWORD_FILE is "\/nonexistent", but must be the path of a readable file \(ENOENT.*\)\.$/,
      ),
    });
  });

  test('is rejected at the start when the file is a pipe that nobody writes to', async () => {
    const databaseUrl = await createDatabase(postgres.url);
    const databasePasswordFile = join(temporaryDir(), 'password');
    execFileSync('mkfifo', [databasePasswordFile]);

    await expect(
      openReady({ dataDir: '', databaseUrl, databasePasswordFile }),
    ).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(
        /^DATABASE_PASSWORD_FILE is .* \(it is not a regular file\)\.$/,
      ),
    });
  });
});

describe('several hosts', () => {
  const portOf = (url: string) => Number(new URL(url).port);
  const setStandby = (server: Postgres, is: boolean) =>
    administrate(
      server.url,
      `alter system set default_transaction_read_only = ${is ? 'on' : 'off'}`,
      'select pg_reload_conf()',
    );

  async function portUsed({ queries }: Database): Promise<number> {
    const { rows } = await sql<{ port: number }>`select inet_server_port() as port`.execute(
      queries,
    );
    return rows[0]?.port ?? 0;
  }

  /** A database on both servers with its own role, and a first host without a server. */
  async function onBoth(): Promise<{ databaseUrl: string; role: string }> {
    const name = new URL(await createDatabase(postgres.url)).pathname.slice(1);
    await administrate(other.url, `create database ${name}`);
    const role = `gateway_${name}`;
    for (const { url } of [postgres, other]) {
      const statement = `create role ${role} superuser login password 'secret'`;
      await administrate(url, statement);
    }
    const ports = [1, portOf(postgres.url), portOf(other.url)];
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
    return {
      databaseUrl: `postgres://${role}:secret@${hosts}/${name}?target_session_attrs=read-write`,
      role,
    };
  }

  test('connects to the primary among several hosts, and follows a failover', async () => {
    const { databaseUrl, role } = await onBoth();
    await using database = await openReady({ dataDir: '', databaseUrl });
    const before = await portUsed(database);

    await setStandby(postgres, true);
    await administrate(postgres.url, endConnections(role));
    await using opened = await openReady({ dataDir: '', databaseUrl });
    await portUsed(database).catch(() => {}); // its connection may just end
    const after = [await portUsed(database), await portUsed(opened)];
    await setStandby(postgres, false);

    expect(before).toBe(portOf(postgres.url));
    expect(after).toEqual([portOf(other.url), portOf(other.url)]);
  });

  test.each([
    ['target_session_attrs=standby', /target_session_attrs=standby, but .* use read-write/],
    [
      'sslmode=bogus',
      /^DATABASE_URL contains sslmode=bogus, but sslmode must be one of disable, prefer, require, verify-ca, verify-full, no-verify\.$/,
    ],
    ['sslmode=allow', /contains sslmode=allow, but sslmode must be one of disable/],
    ['sslmode=REQUIRE', /contains sslmode=REQUIRE, but sslmode must be one of disable/],
    ['sslmode=', /contains sslmode=, but sslmode must be one of disable/],
    ['sslmode=require&sslmode=bogus', /contains sslmode=bogus, but sslmode must be one of disable/],
    ['ssl=maybe', /contains ssl=maybe, but ssl must be one of true, 1, false, 0\.$/],
    [
      'sslnegotiation=x',
      /contains sslnegotiation=x, but sslnegotiation must be one of postgres, direct\.$/,
    ],
    [
      'sslmode=verify-full&sslrootcert=/nonexistent.pem',
      /^DATABASE_URL contains sslrootcert, but it must be the path of a readable file \(ENOENT/,
    ],
    ['host=one,two', /is not the URL of a PostgreSQL .* host1:5432,host2:5432/],
  ])('rejects %s and says what to write', async (parameter, sentence) => {
    const databaseUrl = `${postgres.url}?${parameter}`;

    await expect(openDatabase({ dataDir: '', databaseUrl })).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(sentence),
    });
  });
});

describe('TLS', () => {
  const authority = makeAuthority('database authority');
  const caPath = () => {
    const path = join(temporaryDir(), 'ca.pem');
    writeFileSync(path, authority.cert);
    return path;
  };

  /** Gives a server a certificate for localhost. */
  async function switchOn(server: Postgres): Promise<void> {
    const [{ data_directory: folder }] = (await administrate(
      server.url,
      'show data_directory',
    )) as [{ data_directory: string }];
    const { cert, key } = authority.issue({ names: [['dns', 'localhost']], use: 'server' });
    const { uid, gid } = statSync(folder);
    for (const [name, text] of [
      ['server.crt', cert],
      ['server.key', key],
    ] as const) {
      const path = join(folder, name);
      writeFileSync(path, text);
      chmodSync(path, 0o600);
      chownSync(path, uid, gid);
    }
    await administrate(server.url, 'alter system set ssl = on', 'select pg_reload_conf()');
  }

  const asked = async (server: Postgres, host: string, parameters: string) => {
    const url = Object.assign(new URL(await createDatabase(server.url)), { hostname: host });
    return openReady({ dataDir: '', databaseUrl: `${url.href}?${parameters}` });
  };

  test('accepts a private CA in sslrootcert', async () => {
    await switchOn(postgres);

    await using database = await asked(
      postgres,
      'localhost',
      `sslmode=require&sslrootcert=${caPath()}`,
    );

    const { rows } = await sql<{ ssl: boolean }>`
      select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(database.queries);
    expect(rows).toEqual([{ ssl: true }]);
  });

  test('rejects an unknown CA and says what to write', async () => {
    await switchOn(postgres);

    await expect(asked(postgres, 'localhost', 'sslmode=require')).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/certificate is not trusted: .* add sslrootcert=/),
    });
  });

  test('rejects a certificate for another name and says what to write', async () => {
    await switchOn(postgres);

    const parameters = `sslmode=require&sslrootcert=${caPath()}`;
    await expect(asked(postgres, '127.0.0.1', parameters)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/use the host name of the certificate in the URL/),
    });
  });

  test('rejects a server without TLS and says what to write', async () => {
    await expect(asked(other, 'localhost', 'sslmode=require')).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/a server without TLS; .* sslmode=disable/),
    });
  });
});

test.each(['pa#ss', 'pa/ss', 'pa?ss'])(
  'rejects a URL with the unescaped password %s without repeating the password',
  async (password) => {
    const databaseUrl = `postgres://gateway:${password}@127.0.0.1:1/jobs`;

    const error = await openDatabase({ dataDir: '', databaseUrl }).catch((reason) => reason);

    expect(error).toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/%23 for #.* or remove the password/),
    });
    expect(error.message).not.toContain(password);
  },
);
