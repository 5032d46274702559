import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { sliceBys } from '#export-jobs/planning/calendar/slice-units.ts';
import { defaultTemplateOf } from '#export-jobs/planning/prefix-template.ts';
import { temporaryDir } from '../database/homes.ts';
import { readIdleLoop } from '../read-idle-loop.ts';
import { openWorld, region } from '../world.ts';
import { athenaLineBreak, readAthenaTable } from './athena-table.ts';
import { accountId, bucket, events, exportTwoDays, readObjects } from './two-days.ts';

// The snippets of docs/reading-exports.md read an export that the gateway has made from the emulator.

readIdleLoop();

const page = readFileSync('docs/reading-exports.md', 'utf8');
const snippetsIn = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, text = '']) => text,
  );
const [copy = '', print = '', count = '', decompress = ''] = snippetsIn('sh');
const [python = ''] = snippetsIn('python');
const [duckdb = '', create = '', select = ''] = snippetsIn('sql');
const table = readAthenaTable(create);

/** The events with the log streams as AWS names their folders. */
const exported = events.map((event) => ({ ...event, stream: event.stream.replaceAll('/', '-') }));
const nameOf = (key: string) => key.split('/').at(-1) ?? '';

describe.each([
  ['with a line break at the end of each file', true],
  ['without a line break at the end of each file', false],
])('an export %s', (_name, trailingNewline) => {
  const folder = temporaryDir(afterAll);
  let objects: Map<string, Buffer>;
  let connection: DuckDBConnection;
  beforeAll(async () => {
    const emulator = { trailingNewline, pendingMs: 0, runningMs: 0 };
    await using world = await openWorld({ emulator });
    await exportTwoDays(world, join(folder, 'gateway'));
    objects = await readObjects(world);
    copyAsThePage(objects, folder);
    connection = await (await DuckDBInstance.create()).connect();
  });
  afterAll(() => connection.closeSync());

  const run = (command: string, ...options: string[]) =>
    execFileSync(command, options, { cwd: folder, encoding: 'utf8' });
  const rowsOf = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjectsJson();

  test('has the keys that the page explains', () => {
    const uuids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
    const keys = [...objects.keys()].map((key) => key.replaceAll(uuids, '<id>'));
    const attempt = (day: string) =>
      `${accountId}/${region}/demo/checkout/2024/05/${day}/00/<id>/1`;

    expect(keys.sort()).toEqual([
      `${attempt('01')}/<id>/pay-web-2/000000.gz`,
      `${attempt('01')}/<id>/web-1/000000.gz`,
      `${attempt('01')}/_manifest-<id>.json`,
      `${attempt('01')}/aws-logs-write-test`,
      `${attempt('02')}/<id>/pay-web-2/000000.gz`,
      `${attempt('02')}/_manifest-<id>.json`,
      `${attempt('02')}/aws-logs-write-test`,
    ]);
  });

  test('is printed by zcat in the order of time, with whole messages', () => {
    const texts = events.map(({ time, message }) => `${time} ${message}\n`);

    expect(run('bash', '-c', print)).toBe(texts.join(''));
  });

  test('is counted by zcat', () => {
    expect(run('bash', '-c', count)).toBe(`${events.length}\n`);
  });

  test('is read by Python', ({ skip }) => {
    if (spawnSync('python3', ['--version']).status !== 0) skip('python3 is not installed');
    const texts = exported.map(({ time, stream, message }) => `${time} ${stream} ${message}\n`);

    expect(run('python3', '-X', 'utf8', '-c', python)).toBe(texts.join(''));
  });

  test('is read by DuckDB', async () => {
    await createView(connection, folder);

    expect(await rowsOf(selectEvents)).toEqual(exported);
  });

  // DuckDB runs the query: it has the functions of Athena under other names.
  test('is read by the query for Athena, from the partitions of its table', async () => {
    const columns = ['logged_at', 'line', ...table.columns, '"$path"'];
    await connection.run(`
      CREATE MACRO from_iso8601_timestamp(text) AS text;
      CREATE MACRO regexp_like(text, pattern) AS regexp_matches(text, pattern);
      CREATE TABLE exported_lines (${columns.map((column) => `${column} VARCHAR`).join(', ')});
    `);
    for (const row of [...objects].flatMap(([key, body]) => projectedRows(key, body))) {
      const places = row.map(() => '?').join(', ');
      await connection.run(`INSERT INTO exported_lines VALUES (${places})`, row);
    }

    const rows = await rowsOf(select);

    const lines = exported.flatMap(({ time, stream, message }) =>
      `${message}\n`
        .split(athenaLineBreak)
        .slice(0, -1)
        .map((line, index) => ({ logged_at: index === 0 ? time : null, stream, line })),
    );
    expect(rows).toHaveLength(lines.length);
    expect(rows).toEqual(expect.arrayContaining(lines));
  });
});

describe('messages that CSV cannot contain', () => {
  const folder = temporaryDir(afterAll);
  // Lines before the first timestamp belong to no event.
  const file = Buffer.concat([
    Buffer.from('no timestamp\n2024-05-01T00:00:00.001Z NUL \0 and half a character '),
    Buffer.from('\xe2\x82\n\xffvalid again\n', 'latin1'),
    Buffer.from('2024-05-01T00:00:00.002Z \u0301 combines with the space\n'),
    Buffer.from(`2024-05-01T00:00:00.003Z ${'x'.repeat(3_000_000)} \x01\n`),
  ]);
  const shorten = (text: string) => text.replace(/x{9,}/, ({ length }) => `${length} times x`);
  const messages = [
    ['001', 'NUL \0 and half a character \nvalid again'],
    ['002', '\u0301 combines with the space'],
    ['003', '3000000 times x \x01'],
  ].map(([ms = '', message = '']) => ({
    time: `2024-05-01T00:00:00.${ms}Z`,
    stream: 'web-1',
    message,
  }));
  beforeAll(() => {
    mkdirSync(join(folder, 'exports/task/web-1'), { recursive: true });
    writeFileSync(join(folder, 'exports/task/web-1/000000.gz'), gzipSync(file));
  });

  test('are read by Python', ({ skip }) => {
    if (spawnSync('python3', ['--version']).status !== 0) skip('python3 is not installed');
    const options = { cwd: folder, maxBuffer: 2 * file.length };
    const text = execFileSync('python3', ['-X', 'utf8', '-c', python], options).toString();

    const texts = messages.map(({ time, stream, message }) => `${time} ${stream} ${message}\n`);
    expect(shorten(text)).toBe(texts.join(''));
  });

  test('are read by DuckDB, with null for a time that is no date', async () => {
    const path = join(folder, 'exports/task/web-1/000001.gz');
    writeFileSync(path, gzipSync('2024-13-99T00:00:00.000Z not a date'));
    const connection = await (await DuckDBInstance.create()).connect();
    await createView(connection, folder);

    const rows = (await connection.runAndReadAll(selectEvents)).getRowObjectsJson();
    connection.closeSync();

    const short = rows.map((row) => ({ ...row, message: shorten(String(row.message)) }));
    expect(short).toEqual([...messages, { time: null, stream: 'web-1', message: 'not a date' }]);
  });
});

test('the page names the tested version of DuckDB', () => {
  const { devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
  const [version] = devDependencies['@duckdb/node-api'].split('-');

  expect(page).toContain(`DuckDB ${version}.`);
});

describe('the table for Athena', () => {
  const { columns, property, folderOf } = table;

  test.each(sliceBys)(
    'has the folders of the default destinationPrefix of jobs by %s',
    (sliceBy) => {
      const folder = folderOf({
        account: '{account}',
        region: '{region}',
        log_group: '{logGroup}',
        day: property('projection.day.format').replaceAll(/[a-zA-Z]+/g, '{$&}'),
      });

      expect(folder).toMatch(/\{dd\}\/$/);
      expect(`s3://${bucket}/${defaultTemplateOf(sliceBy)}`.slice(0, folder.length)).toBe(folder);
    },
  );

  test('projects each of its partition columns, and no other', () => {
    const projected = [...create.matchAll(/'projection\.(\w+)\.type'/g)].map(([, name]) => name);
    const located = property('storage.location.template').matchAll(/\$\{(\w+)\}/g);

    expect(property('projection.enabled')).toBe('true');
    expect(projected).toEqual(columns);
    expect([...located].map(([, name]) => name)).toEqual(columns);
  });

  test('has every day in its range, up to tomorrow', () => {
    const [first = '', last = ''] = property('projection.day.range').split(',');

    expect(first).toMatch(/^\d{4}\/\d{2}\/\d{2}$/);
    expect(property('projection.day.format')).toBe('yyyy/MM/dd');
    expect(last).toBe('NOW+1DAYS');
    expect(property('projection.day.interval')).toBe('1');
    expect(property('projection.day.interval.unit')).toBe('DAYS');
  });
});

const selectEvents = `
  SELECT strftime(time, '%Y-%m-%dT%H:%M:%S.%gZ') AS time, stream, message FROM events ORDER BY time`;

/** Decompresses the files and creates the view as the page does. */
async function createView(connection: DuckDBConnection, folder: string): Promise<void> {
  execFileSync('bash', ['-c', decompress], { cwd: folder });
  await connection.run(duckdb.replaceAll("'exports/", `'${folder}/exports/`));
}

/** Copies objects into `exports` as the command of the page does. */
function copyAsThePage(objects: Map<string, Buffer>, folder: string): void {
  const [, source = '', filter = ''] = /(s3:\S+) exports\/ .*--include '(.*)'/.exec(copy) ?? [];
  // The `*` of such a filter matches slashes, too.
  const pattern = new RegExp(`^${filter.replaceAll('.', String.raw`\.`).replaceAll('*', '.*')}$`);
  for (const [key, body] of objects) {
    const url = `s3://${bucket}/${key}`;
    const path = url.slice(source.length);
    if (!url.startsWith(source) || !pattern.test(path)) continue;
    const file = join(folder, 'exports', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, body);
  }
}

/** The rows of an object in the table: none if it is in no partition, or if its name begins with `_` or `.`. */
function projectedRows(key: string, body: Buffer): (string | null)[][] {
  if (/^[_.]/.test(nameOf(key))) return [];
  const values = { account: accountId, region, log_group: 'demo/checkout' };
  const path = `s3://${bucket}/${key}`;
  const partitions = Array.from({ length: 366 }, (_, index) => {
    const day = new Date(Date.UTC(2024, 0, 1 + index)).toISOString().slice(0, 10);
    return { ...values, day: day.replaceAll('-', '/') };
  }).filter((partition) => path.startsWith(table.folderOf(partition)));
  return partitions.flatMap((partition: Record<string, string>) =>
    table
      .rowsOf(body, key.endsWith('.gz'))
      .map((row) => [...row, ...table.columns.map((name) => partition[name] ?? null), path]),
  );
}
