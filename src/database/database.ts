import type { Kysely, RawBuilder, Transaction } from 'kysely';

import type { Tables } from './tables.ts';

/** What queries run on: the database, or a transaction in it. */
export type Queries = Kysely<Tables>;

/** The database, on either storage backend. Failures to reach it are `Problem`s. */
export interface Database extends AsyncDisposable {
  kind: 'sqlite' | 'postgres';
  queries: Queries;
  /**
   * Runs a transaction; it is on disk when the promise resolves. `act` runs again after a conflict with
   * another transaction, so it must have no other effects.
   */
  transaction<Result>(act: (queries: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** The clock of the database in epoch ms, as an expression. Rows use no other clock. */
  now: () => RawBuilder<number>;
  /**
   * Writes what was committed into the file of SQLite. Otherwise a later commit does it for a thousand pages
   * at once, and everything waits for it. Does nothing on PostgreSQL: it has processes for that.
   */
  checkpoint(): Promise<void>;
  /**
   * Gives at most `maxPages` pages of deleted rows back to the disk, in one short statement. Returns whether
   * more can be given back. Does nothing on PostgreSQL: its autovacuum does it.
   */
  compact(maxPages: number): Promise<boolean>;
  /**
   * Sends a text to all processes that listen, when the transaction commits. SQLite, which one process uses, sends it
   * at once: what a listener queries then waits for the transaction.
   */
  notify(queries: Queries, text: string): Promise<void>;
  /**
   * Calls back with each text. PostgreSQL sends them over one connection for all listeners. Some may be lost, or all
   * of them: behind a pooler none arrives.
   */
  listen(act: (text: string) => void): Disposable;
  /** Resolves when the tables are up to date; rejects if they can never be. */
  whenMigrated: Promise<void>;
  /** Why the tables are not up to date yet; undefined when they are. Until then every query fails. */
  whyNotReady(): string | undefined;
}
