import { type RawBuilder, sql } from 'kysely';

import type { Database } from './database.ts';

/** The channel of PostgreSQL that carries notifications. */
export const notificationChannel = 'log_export_gateway';

/** The expressions that database engines write differently. All other SQL is the same for each engine. */
interface EngineSql {
  /** The clock of the database, in epoch ms. */
  now: RawBuilder<number>;
  /** The text of a member of a column that holds JSON. */
  jsonText(column: string, member: string): RawBuilder<string | null>;
  /** The end of a query that locks its rows, and leaves out those that others have locked. SQLite has one writer. */
  skipLocked: RawBuilder<unknown>;
}

/** These expressions, for each storage backend. */
export const engineSql: Record<Database['kind'], EngineSql> = {
  sqlite: {
    now: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
    jsonText: (column, member) => sql<string | null>`${sql.ref(column)} ->> ${sql.lit(member)}`,
    skipLocked: sql``,
  },
  postgres: {
    now: sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`,
    jsonText: (column, member) =>
      sql<string | null>`cast(${sql.ref(column)} as json) ->> ${sql.lit(member)}`,
    skipLocked: sql`for update skip locked`,
  },
};
