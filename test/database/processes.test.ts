import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type DatabaseOptions, migrateDatabase } from '#database/open-database.ts';
import { nodeEnvironment } from '../node-environment.ts';
import { openReady } from '../ready-database.ts';
import { emptyStorage, keysIn, temporaryDir } from './homes.ts';

/** Starts a process that writes; `confirmed` grows with each confirmed row. */
function startWriter({ dataDir, databaseUrl }: DatabaseOptions) {
  const args = ['test/database/writer.ts', dataDir, ...(databaseUrl ? [databaseUrl] : [])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const confirmed: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => confirmed.push(line));
  return {
    confirmed,
    hasConfirmed: (count: number) =>
      expect.poll(() => confirmed.length, { interval: 5 }).toBeGreaterThan(count),
    async kill() {
      const ended = once(lines, 'close');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs a file of `src/bin`, with these variables and none of this machine. */
async function run(door: string, env: Record<string, string>) {
  const options = { env: { ...nodeEnvironment(), ...env } };
  return promisify(execFile)(process.execPath, [door], options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

describe.each(['sqlite', 'postgres'] as const)('in %s', (kind) => {
  test('keeps confirmed transactions when the process is killed', async () => {
    const options = await emptyStorage(kind);
    const writer = startWriter(options);
    await writer.hasConfirmed(100);

    await writer.kill();
    await using database = await openReady(options);
    const kept = new Set(await keysIn(database));

    expect(writer.confirmed.filter((number) => !kept.has(number))).toEqual([]);
    expect(kept.size - writer.confirmed.length).toBeLessThanOrEqual(1); // committed, but not reported yet
  });

  test('npm run migrate prints what it did', async () => {
    const { dataDir, databaseUrl } = await emptyStorage(kind);
    const env = databaseUrl ? { DATABASE_URL: databaseUrl } : { DATA_DIR: dataDir };

    const [first, second] = [
      await run('src/bin/migrate.ts', env),
      await run('src/bin/migrate.ts', env),
    ];

    const applied =
      'Applied 0001-export-jobs.\nApplied 0002-callers.\nApplied 0003-time-zones.\nApplied 0004-misses.\nApplied 0005-work.\nApplied 0006-retention.\nApplied 0007-trace-context.\nApplied 0008-foreign-tasks.\nApplied 0009-verification.\nApplied 0010-archives.\nApplied 0011-wire-and-notifications.\nApplied 0012-archive-trials.\nApplied 0013-tenth-starts.\nApplied 0014-stand-backs.\nApplied 0015-foreign-destinations.\nApplied 0016-verification-callers.\nApplied 0017-count-queries.\nApplied 0018-former-retentions.\n';
    expect(first).toEqual({ code: 0, stdout: applied, stderr: '' });
    expect(second).toEqual({ code: 0, stdout: 'The tables are up to date.\n', stderr: '' });
  });
});

test('rejects a second process on the same directory, and the first continues', async () => {
  const options = await emptyStorage('sqlite');
  await migrateDatabase(options);
  await using first = await openReady(options); // it has written nothing

  const second = await run('src/bin/main.ts', {
    AWS_REGION: 'eu-west-1',
    PORT: '0',
    DATA_DIR: options.dataDir,
  });

  expect(second).toEqual({
    code: 1,
    stdout: '',
    stderr: `DATA_DIR is ${JSON.stringify(options.dataDir)}, which another process uses; give each process its own directory, or set DATABASE_URL to share a PostgreSQL.\n`,
  });
  expect(await keysIn(first)).toEqual([]);
});

test('exits npm run migrate with a sentence when PostgreSQL is down', async () => {
  const DATABASE_URL = 'postgres://gateway:secret@127.0.0.1:1/jobs';

  const { code, stderr } = await run('src/bin/migrate.ts', { DATABASE_URL });

  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^DATABASE_URL names a database that does not answer \(.*ECONNREFUSED.*\)\.\n$/,
  );
  expect(stderr).not.toContain('secret');
});

test('has nothing to migrate when export jobs are off', async () => {
  const env = { EXPORT_JOBS: 'off', DATA_DIR: temporaryDir() };

  expect(await run('src/bin/migrate.ts', env)).toMatchObject({
    code: 0,
    stdout: 'EXPORT_JOBS is off; there are no tables to migrate.\n',
  });
});

test('loads no driver before a database is opened', async () => {
  const script = `
    await import('./src/open-gateway.ts');
    const { _cache } = (await import('node:module')).default;
    const isPg = (file) => file.includes('/node_modules/pg/');
    const isSqlite = (name) => name.endsWith(' sqlite');
    console.log(Object.keys(_cache).filter(isPg).length, process.moduleLoadList.filter(isSqlite).length);
    await import('./src/database/postgres/dialect.ts');
    await import('./src/database/sqlite/dialect.ts');
    console.log(Object.keys(_cache).some(isPg), process.moduleLoadList.some(isSqlite));
  `;
  const args = ['--input-type=module', '--eval', script];

  const { stdout } = await promisify(execFile)(process.execPath, args);

  expect(stdout).toBe('0 0\ntrue true\n');
});
