import pg from 'pg';

/** The clock of a database, as everybody sees it who connects from now on. */
export interface TurnableClock {
  /** Sets how far it is off. */
  turn(offMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Puts a clock that can be turned before the one of PostgreSQL, in one database. */
export async function makeClockTurnable(databaseUrl: string): Promise<TurnableClock> {
  const client = new pg.Client(databaseUrl);
  client.on('error', () => {}); // the server may be stopped under it
  await client.connect();
  const name = new URL(databaseUrl).pathname.slice(1);
  await client.query(`
    create schema turned;
    create table turned.clock (off interval not null);
    insert into turned.clock values ('0');
    create function turned.clock_timestamp() returns timestamptz language sql volatile as
      $$ select pg_catalog.clock_timestamp() + (select off from turned.clock) $$;
    alter database ${name} set search_path = turned, pg_catalog, public`);
  return {
    async turn(offMs) {
      const interval = `${offMs} milliseconds`;
      await client.query('update turned.clock set off = $1::interval', [interval]);
    },
    close: () => client.end(),
  };
}
