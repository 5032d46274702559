import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  SqliteDialect,
} from 'kysely';

import { setAsNewest } from '#caching/bounded-map.ts';
import { configError } from '#problems/config-error.ts';
import { databaseUnavailable, isUnavailable } from '../unavailable-problem.ts';

/** Result codes about the file, its lock and its disk (https://sqlite.org/rescode.html). */
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
 * The embedded storage backend: one file in `dataDir`, locked for this process while it is open.
 * @throws an error named ConfigError if the directory is not usable, or another process uses it
 */
export function makeSqliteDialect(dataDir: string): Dialect {
  const file = openFile(dataDir);
  const statements = new Map<string, ReturnType<typeof prepare>>();
  const dialect = new SqliteDialect({
    database: {
      close: () => file.close(),
      prepare(text) {
        // SQLite has already rolled back when the disk is full; kysely must not fail on its own rollback.
        if (text === 'rollback' && !file.isTransaction) return noStatement;
        const statement = statements.get(text) ?? prepare(file, text);
        setAsNewest(statements, text, statement, maxStatements);
        return statement;
      },
    },
  });
  return {
    createDriver: () => withYields(dialect.createDriver()),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (queries) => dialect.createIntrospector(queries),
  };
}

// To prepare a statement takes longer than to run it. Fewer: more of them are prepared again. More: the same
// speed, and some kilobytes of memory for each.
const maxStatements = 500;

function prepare(file: DatabaseSync, text: string) {
  const statement = withProblems(() => file.prepare(text));
  return {
    // A pragma without columns works only as long as its rows are read.
    reader: statement.columns().length > 0 || text.startsWith('pragma'),
    all: (values: readonly unknown[]) =>
      withProblems(() => statement.all(...(values as SQLInputValue[]))),
    run: (values: readonly unknown[]) =>
      withProblems(() => statement.run(...(values as SQLInputValue[]))),
    iterate: (values: readonly unknown[]) => statement.iterate(...(values as SQLInputValue[])),
  };
}

// A query takes some 0.1 ms. Lower: queries wait for turns of the event loop. Higher: probes wait for queries.
const maxQueriesPerTurn = 20;
// A query that takes longer is the last one of its turn. Shorter: as above. Longer: several of them delay probes.
const longQueryMs = 5;

/**
 * Makes queries yield to the event loop, in transactions, too. Statements are synchronous, so awaiting one takes
 * no turn of the loop, and a loop of queries would block timers and sockets.
 */
function withYields(driver: Driver): Driver {
  const acquireConnection = driver.acquireConnection.bind(driver);
  const known = new WeakSet<DatabaseConnection>();
  let queriesOfTurn = 0;
  driver.acquireConnection = async () => {
    const connection = await acquireConnection();
    if (known.has(connection)) return connection;
    known.add(connection);
    const executeQuery = connection.executeQuery.bind(connection);
    connection.executeQuery = async <Row>(query: CompiledQuery) => {
      if (queriesOfTurn >= maxQueriesPerTurn) await nextTurn();
      if (queriesOfTurn === 0) {
        setImmediate(() => {
          queriesOfTurn = 0;
        });
      }
      queriesOfTurn += 1;
      const beganAt = performance.now();
      const result = await executeQuery<Row>(query);
      if (performance.now() - beganAt > longQueryMs) queriesOfTurn = maxQueriesPerTurn;
      return result;
    };
    return connection;
  };
  return driver;
}

const noStatement = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  iterate: () => [].values(),
};

const fileName = 'export-jobs.sqlite';

function openFile(dataDir: string): DatabaseSync {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    // Not defensive: migrations change constraints, which SQLite calls a change of its schema table.
    const file = new DatabaseSync(join(dataDir, fileName), { defensive: false });
    // The transaction takes the lock and checks that the file is writable. The locking mode keeps the lock.
    file.exec(`
      pragma locking_mode = exclusive;
      pragma auto_vacuum = incremental;
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma foreign_keys = on;
      pragma temp_store = memory; -- a container may have no other writable place
      begin immediate;
      commit;
    `);
    makeShrinkable(file);
    return file;
  } catch (error) {
    throw sqliteSettingsError(dataDir, error);
  }
}

// The part of the file that is in use. Less: files of earlier versions are never converted. More: the start
// takes longer than a second, and as much memory.
const maxConvertedBytes = 64 * 1_048_576;

/**
 * Converts a file of an earlier version, so that it can give pages of deleted rows back. This rewrites it.
 * A larger file is converted at a later start, when enough of its rows are deleted.
 */
function makeShrinkable(file: DatabaseSync): void {
  const read = (pragma: string) => Object.values(file.prepare(`pragma ${pragma}`).get() ?? {})[0];
  if (read('auto_vacuum') !== 0) return;
  const pages = Number(read('page_count')) - Number(read('freelist_count'));
  if (pages * Number(read('page_size')) <= maxConvertedBytes) file.exec('vacuum');
}

const damaged = `contains a damaged ${fileName}; restore a backup, or move ${fileName} and ${fileName}-wal away to start with an empty queue`;
const full = 'is on a full disk; free some space';

/** Turns an error at the start into a settings error. */
export function sqliteSettingsError(dataDir: string, error: unknown): Error {
  const cause = isUnavailable(error) ? error.cause : error;
  return configError(`DATA_DIR is ${JSON.stringify(dataDir)}, which ${toSentence(cause)}.`, error);
}

function toSentence(error: unknown): string {
  switch (resultCode(error)) {
    case code.busy:
      return 'another process uses; give each process its own directory, or set DATABASE_URL to share a PostgreSQL';
    case code.corrupt:
    case code.notADatabase:
      return damaged;
    case code.full:
      return full;
    default:
      return `must be a directory this process may write to (${(error as Error).message})`;
  }
}

function withProblems<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (!Object.values(code).includes(resultCode(error))) throw error;
    throw databaseUnavailable('The database cannot read or write its file.', withRemedy(error));
  }
}

/** Makes the error for the log: its message tells the operator what to do. */
function withRemedy(error: unknown): unknown {
  const sentence = { [code.corrupt]: damaged, [code.full]: full }[resultCode(error)];
  if (sentence === undefined) return error;
  const { errcode, message } = error as SqliteError;
  const text = `DATA_DIR ${sentence} (${message}).`;
  return Object.assign(new Error(text, { cause: error }), { errcode });
}
