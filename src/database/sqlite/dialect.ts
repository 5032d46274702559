import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Dialect, type Driver, SqliteDialect } from 'kysely';

import { configError } from '#problems/config-error.ts';
import { databaseUnavailable, isUnavailable } from '../unavailable-problem.ts';

/** Result codes that are about the file, its lock and its disk (https://sqlite.org/rescode.html). */
const code = {
  busy: 5,
  locked: 6,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
};

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
  const dialect = new SqliteDialect({
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
  return {
    createDriver: () => yielding(dialect.createDriver()),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (queries) => dialect.createIntrospector(queries),
  };
}

// Of some 0.1 ms each. More, and a probe is late by them; fewer, and queries wait for turns.
const maxQueriesPerTurn = 20;

/**
 * Makes queries leave the event loop to others: statements here are synchronous, so awaiting one takes
 * no turn of the loop, and a loop of queries would let neither timers nor sockets through.
 */
function yielding(driver: Driver): Driver {
  const acquireConnection = driver.acquireConnection.bind(driver);
  let queriesOfTurn = 0;
  driver.acquireConnection = async () => {
    if (queriesOfTurn >= maxQueriesPerTurn) await nextTurn();
    if (queriesOfTurn === 0) {
      setImmediate(() => {
        queriesOfTurn = 0;
      });
    }
    queriesOfTurn += 1;
    return acquireConnection();
  };
  return driver;
}

const nothing = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
};

const fileName = 'export-jobs.sqlite';

function openFile(dataDir: string): DatabaseSync {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const file = new DatabaseSync(join(dataDir, fileName));
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
    throw sqliteMistake(dataDir, error);
  }
}

const damaged = `has a damaged ${fileName}; restore a backup, or move ${fileName} and ${fileName}-wal away to start with an empty queue, without the jobs in them`;
const full = 'is on a full disk; make room there';

/** What keeps the file from being used at the start, in a sentence. */
export function sqliteMistake(dataDir: string, error: unknown): Error {
  const cause = isUnavailable(error) ? error.cause : error;
  return configError(`DATA_DIR is ${JSON.stringify(dataDir)}, which ${toSentence(cause)}.`, error);
}

function toSentence(error: unknown): string {
  switch (resultCode(error)) {
    case code.busy:
      return 'another process is using; give each process a directory of its own, or set DATABASE_URL to the PostgreSQL that several share';
    case code.corrupt:
    case code.notADatabase:
      return damaged;
    case code.full:
      return full;
    default:
      return `must be a directory this process may write to (${(error as Error).message})`;
  }
}

function translated<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (!Object.values(code).includes(resultCode(error))) throw error;
    throw databaseUnavailable('The database cannot read or write its file.', explained(error));
  }
}

/** The error for the log: what an operator has to do about it stands in its message. */
function explained(error: unknown): unknown {
  const sentence = { [code.corrupt]: damaged, [code.full]: full }[resultCode(error)];
  if (sentence === undefined) return error;
  const { errcode, message } = error as SqliteError;
  const text = `DATA_DIR ${sentence} (${message}).`;
  return Object.assign(new Error(text, { cause: error }), { errcode });
}
