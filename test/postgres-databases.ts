import pg from 'pg';

import { createDatabase, serverOfRun } from './postgres.ts';

// To create a database takes 0.1 s of a core, and to empty one a tenth of that. So databases are used again.

/** How many users each database has that this process was given. */
const users = new Map<string, number>();
/** Databases that had users and have none. The first one has been free for the longest time. */
const free: string[] = [];

/** Returns the URL of an empty database without tables, on the server of this test run. */
export async function emptyPostgresUrl(): Promise<string> {
  return createDatabase(serverOfRun());
}

/** Returns the URL of a database that has its tables and no rows, on the server of this test run. */
export async function postgresUrl(): Promise<string> {
  const known = free.shift();
  if (known !== undefined && (await empty(known))) return known;
  const url = await createDatabase(serverOfRun(), process.env.TEST_POSTGRES_TEMPLATE);
  users.set(url, 0);
  return url;
}

/** Notes that a test uses a database until the disposal. Without users, another test may get it. */
export function usePostgres(url: string): Disposable {
  const count = (more: number) => {
    const known = users.get(url);
    if (known === undefined) return; // not one of `postgresUrl`
    users.set(url, known + more);
    if (free.includes(url)) free.splice(free.indexOf(url), 1);
    if (known + more === 0) free.push(url);
  };
  count(1);
  let isUsed = true;
  return {
    [Symbol.dispose]() {
      if (isUsed) count(-1);
      isUsed = false;
    },
  };
}

// Without a vacuum, deleted rows stay in the files. A database with its tables has 9 MB.
const maxBytes = 14 * 1_048_576;

/** Empties a database. Returns false if a test has changed it for good, or something still uses it. */
async function empty(url: string): Promise<boolean> {
  const tables = process.env.TEST_POSTGRES_TABLES?.split(' ') ?? [];
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 60_000 });
  try {
    await client.connect();
    const { rows } = await client.query(`
      select
        pg_database_size(current_database()) as bytes,
        (select count(*) from pg_stat_activity where datname = current_database()) as connections
    `);
    if (Number(rows[0].bytes) > maxBytes || Number(rows[0].connections) > 1) return false;
    await client.query(`
      set session_replication_role = replica; -- without triggers: they keep audit entries
      ${tables.map((name) => `delete from ${name};`).join(' ')}
      insert into purge default values
    `);
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}
