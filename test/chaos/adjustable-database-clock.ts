import pg from 'pg';

/** The clock of a database, for all connections made from now on. */
export interface AdjustableClock {
  /** Sets its offset. */
  setOffset(offsetMs: number): Promise<void>;
  close(): Promise<void>;
}

/** Shadows the clock of PostgreSQL in one database with an adjustable one. */
export async function makeClockAdjustable(databaseUrl: string): Promise<AdjustableClock> {
  const client = new pg.Client(databaseUrl);
  client.on('error', () => {}); // the server may be stopped under it
  await client.connect();
  const name = new URL(databaseUrl).pathname.slice(1);
  await client.query(`
    create schema adjusted;
    create table adjusted.clock (off interval not null);
    insert into adjusted.clock values ('0');
    create function adjusted.clock_timestamp() returns timestamptz language sql volatile as
      $$ select pg_catalog.clock_timestamp() + (select off from adjusted.clock) $$;
    alter database ${name} set search_path = adjusted, pg_catalog, public`);
  return {
    async setOffset(offsetMs) {
      const interval = `${offsetMs} milliseconds`;
      await client.query('update adjusted.clock set off = $1::interval', [interval]);
    },
    close: () => client.end(),
  };
}
