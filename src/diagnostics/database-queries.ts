import { openChannel } from './channel.ts';

/** A statement that has ended, or a connection that could not be opened for one. */
interface EndedQuery {
  /** Undefined if no connection could be opened. */
  durationMs: number | undefined;
  /**
   * Whether the database did not do it because it is unavailable: connection lost, full disk, failed I/O or
   * read-only. Conflicts and timeouts concern one statement only.
   */
  isUnavailable: boolean;
}

/** Statements sent to the database. */
export const databaseQueries = openChannel<EndedQuery>('database-query');
