import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { type Dialect, SqliteDialect } from 'kysely';

import { configError } from '#problems/config-error.ts';
import { databaseUnavailable } from './unavailable.ts';

/** Result codes that are about the file, its lock and its disk (https://sqlite.org/rescode.html). */
const code = { busy: 5, locked: 6, readOnly: 8, ioError: 10, full: 13, cannotOpen: 14 };

interface SqliteError extends Error {
  /** The extended result code; its low byte is the result code. */
  errcode?: number;
}

const resultCode = (error: unknown) => ((error as SqliteError).errcode ?? 0) & 0xff;

/**
 * The embedded home: one file below `dataDir`, locked for this process as long as it is open.
 * @throws an error named ConfigError when the directory cannot be used, or another process uses it
 */
export function makeSqliteDialect(dataDir: string): Dialect {
  const file = openFile(dataDir);
  return new SqliteDialect({
    database: {
      close: () => file.close(),
      prepare(text) {
        // A full disk has rolled back by itself; kysely need not know.
        if (text === 'rollback' && !file.isTransaction) return nothing;
        const statement = translated(() => file.prepare(text));
        return {
          reader: statement.columns().length > 0,
          all: (values) => translated(() => statement.all(...(values as SQLInputValue[]))),
          run: (values) => translated(() => statement.run(...(values as SQLInputValue[]))),
          iterate: (values) => statement.iterate(...(values as SQLInputValue[])),
        };
      },
    },
  });
}

const nothing = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
};

function openFile(dataDir: string): DatabaseSync {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const file = new DatabaseSync(join(dataDir, 'export-jobs.sqlite'));
    // Locked from here on: the transaction, which also shows whether it may be written, takes the
    // lock, and the mode keeps it.
    file.exec(`
      pragma locking_mode = exclusive;
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma foreign_keys = on;
      pragma temp_store = memory; -- a container may have no other place to write to
      begin immediate;
      commit;
    `);
    return file;
  } catch (error) {
    const named = `DATA_DIR is ${JSON.stringify(dataDir)}`;
    if (resultCode(error) === code.busy) {
      throw configError(
        `${named}, which another process is using; give each process a directory of its own, or set DATABASE_URL to the PostgreSQL that several share.`,
        error,
      );
    }
    throw configError(
      `${named}, but must be a directory this process may write to (${(error as Error).message}).`,
      error,
    );
  }
}

function translated<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (!Object.values(code).includes(resultCode(error))) throw error;
    throw databaseUnavailable('The database cannot read or write its file now.', error);
  }
}
