import type { Kysely, RawBuilder, Transaction } from 'kysely';

import type { Tables } from './tables.ts';

/** Something to run queries on: the database, or a transaction in it. */
export type Queries = Kysely<Tables>;

/** The database, in either of its storageBackends. Failures to reach it are `Problem`s. */
export interface Database extends AsyncDisposable {
  kind: 'sqlite' | 'postgres';
  queries: Queries;
  /**
   * Runs statements as one; they are on disk when it resolves. `act` is run again when it collided
   * with another transaction, so it must have no effect but on the database.
   */
  transaction<Result>(act: (queries: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** The clock of the database in epoch ms, as an expression: the only clock rows are written by. */
  now: () => RawBuilder<number>;
  /** Resolves when the tables are up to date; rejects when they never will be. */
  whenMigrated: Promise<void>;
  /** Why the tables are not up to date yet; undefined when they are. Until then no query succeeds. */
  whyNotReady(): string | undefined;
}
