import { randomUUID } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { insertArchive } from '../coverage/insert-archive.ts';
import { bringTo, givenJob, sliceProblem } from '../export-jobs/accepted-jobs.ts';
import { givenTask } from '../export-jobs/tasks/given-task.ts';
import { openWorld, region, type World } from '../world.ts';
import { type CliOptions, runCli } from './run-cli.ts';

// The outputs of the real gateway, on a terminal of 80 columns and in a pipe.

const now = Date.parse('2024-05-10T12:00:00Z');
const at = (time: string) => Date.parse(`2024-05-10T${time}Z`);

let world: World;
let ids: { failed: string; waiting: string };
beforeAll(async () => {
  world = await openWorld({ jobs: { clock: () => now }, now: () => now });
  const { database } = world;
  const failed = await givenJob(database, 3, {
    acceptedAt: at('08:00:00'),
    facts: { name: 'the last \u001b[31mweek\u202e of checkout', sliceBy: 'day' },
  });
  await bringTo(database, failed, 0, 'completed');
  await bringTo(database, failed, 1, 'completed');
  await bringTo(
    database,
    failed,
    2,
    'failed',
    sliceProblem('log-group-not-found', 'Log group /app does not exist.'),
  );
  const waiting = await givenJob(database, 2, { acceptedAt: at('11:55:00') });
  ids = { failed, waiting };
});
afterAll(() => world[Symbol.asyncDispose]());

/** Runs a command at the gateway. Ids of jobs are the same in each run. */
async function run(line: string, options: CliOptions = {}) {
  const { code, stdout, stderr } = await runCli(line, {
    env: { LOG_EXPORT_URL: world.url, NO_COLOR: '1' },
    now: () => now,
    ...options,
  });
  const withFixedIds = (text: string) =>
    text
      .replaceAll(ids.failed, '11111111-1111-1111-1111-111111111111')
      .replaceAll(ids.waiting, '22222222-2222-2222-2222-222222222222');
  return { code, stdout: withFixedIds(stdout), stderr: withFixedIds(stderr) };
}

const atTerminal = (line: string, columns = 80) => run(line, { columns });

describe('jobs', () => {
  test('is a table on a terminal of 80 columns', async () => {
    expect((await atTerminal('jobs')).stdout).toBe(
      `ID                                    STATE    SLICES  AGE  NAME
22222222-2222-2222-2222-222222222222  waiting  0/2     5m
11111111-1111-1111-1111-111111111111  failed   2/3     4h   the last \\u001b[31m…
`,
    );
  });

  test('has more columns on a wide terminal', async () => {
    const { stdout } = await atTerminal('jobs', 100);

    expect(stdout.split('\n')[0]).toMatch(/NAME +TARGET +CALLER$/);
    expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
  });

  test('has fewer columns on a narrow terminal', async () => {
    expect((await atTerminal('jobs', 50)).stdout).toBe(
      `ID                                    STATE
22222222-2222-2222-2222-222222222222  waiting
11111111-1111-1111-1111-111111111111  failed
`,
    );
  });

  test('is no table on a terminal that is too narrow for one', async () => {
    const [id, state] = (await atTerminal('jobs', 40)).stdout.split('\n');

    expect([id, state]).toEqual([
      'ID      22222222-2222-2222-2222-222222222222',
      'STATE   waiting',
    ]);
  });

  test('has tabs and no header in a pipe', async () => {
    expect((await run('jobs')).stdout).toBe(
      `${[
        [
          '22222222-2222-2222-2222-222222222222\twaiting\t0/2',
          '2024-05-10T11:55:00.000Z\t\tdefault\tanonymous\t',
        ],
        [
          '11111111-1111-1111-1111-111111111111\tfailed\t2/3',
          '2024-05-10T08:00:00.000Z\tthe last \\u001b[31mweek\\u202e of checkout\tdefault\tanonymous\t',
        ],
      ]
        .map((cells) => cells.join('\t'))
        .join('\n')}\n`,
    );
  });

  test('has colours on a terminal, unless NO_COLOR or TERM=dumb is set', async () => {
    const env = { LOG_EXPORT_URL: world.url };
    const coloured = await run('jobs', { columns: 80, env });
    const plain = await run('jobs', { columns: 80, env: { ...env, TERM: 'dumb' } });
    const piped = await run('jobs', { env });

    expect(coloured.stdout).toContain('\u001b[31mfailed\u001b[0m');
    expect(stripVTControlCharacters(coloured.stdout)).toBe((await atTerminal('jobs')).stdout);
    expect(plain.stdout + piped.stdout).not.toContain('\u001b');
  });

  test('prints the command of the next page', async () => {
    const { stdout, stderr } = await run('jobs --limit 1');
    const [, cursor] = /^More: repeat the command with --cursor (\S+)$/m.exec(stderr) ?? [];
    const next = await run(`jobs --limit 1 --cursor ${cursor}`);

    expect(stdout).toMatch(/^2222/);
    expect(next.stdout).toMatch(/^1111/);
    expect(next.stderr).toBe('');
  });

  test('says if there are none', async () => {
    expect(await run('jobs --state cancelled')).toEqual({
      code: 0,
      stdout: '',
      stderr: 'Nothing found.\n',
    });
  });
});

describe('show', () => {
  test('has the facts, the failures and their remedies', async () => {
    expect((await atTerminal(`show ${ids.failed}`)).stdout).toBe(
      `Job          11111111-1111-1111-1111-111111111111
Name         the last \\u001b[31mweek\\u202e of checkout
State        failed
Slices       2/3 · 1 failed
Target       default
From         2024-01-01T00:00:00Z
To           2024-01-04T00:00:00Z
Sliced by    day, UTC
Destination  s3://archive/jobs/{jobId}
Caller       anonymous
Accepted     2024-05-10T08:00:00Z
Ended        2024-05-10T12:00:00Z
Verified     0 slices, 0 objects, 0 bytes
Warning: Slices of one log group share a prefix, because the template lacks
{dd}. AWS still gives each export task a folder of its own there.
1 slice: It failed (log-group-not-found)
  Log group /app does not exist.
  Remedy: Try again.
`,
    );
  });

  test('has tabs in a pipe', async () => {
    const { stdout } = await run(`show ${ids.waiting}`);

    expect(stdout).toMatch(/^Job\t2222.*\nState\twaiting\nSlices\t0\/2\nTarget\tdefault\n/);
  });

  test('explains that a job does not exist, with the id of the request', async () => {
    const { code, stdout, stderr } = await run('show 0');

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^log-export: Export job not found \(404 export-job-not-found\)\n[^\n]+\nRemedy: [^\n]+\nRequest id: [0-9a-f-]{36}\nMore: log-export problems export-job-not-found\n$/,
    );
  });
});

describe('a job that an AWS client has sent', () => {
  let id = '';
  beforeAll(async () => {
    id = await givenTask(world.database);
  });

  test('has a mark in jobs', async () => {
    const { stdout } = await run('jobs');

    expect(stdout).toMatch(new RegExp(`^${id}\t.*\tanonymous\tAWS client$`, 'm'));
  });

  test('has a mark in show', async () => {
    expect((await run(`show ${id}`)).stdout).toContain('\nSent by\tAWS client\n');
  });
});

test('long facts are wrapped at spaces below their beginning', async () => {
  const name = `${'word '.repeat(20)}end`;
  const id = await givenJob(world.database, 1, { facts: { name } });

  const { stdout } = await atTerminal(`show ${id}`);

  expect(stdout).toMatch(/^Name {9}(word )+word\n {13}(word )+end\n/m);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

describe('--json', () => {
  const bodyOf = async (path: string) => (await world.call('GET', path)).text;

  test.each(['jobs', 'targets', 'archives', 'problems'])('prints the bytes of %s', async (name) => {
    const path = { jobs: '/export-jobs' }[name] ?? `/${name}`;

    const { code, stdout } = await runCli(`${name} --json`, { env: { LOG_EXPORT_URL: world.url } });

    expect({ code, stdout }).toEqual({ code: 0, stdout: await bodyOf(path) });
  });

  test('prints a document on a terminal without control characters', async () => {
    await givenJob(world.database, 1, { facts: { name: 'a\u009b2Jb' } });
    const { stdout } = await run('jobs --json', { columns: 80 });

    expect(stdout).toContain('"a\\u009b2Jb"');
    expect(stdout.endsWith('}\n')).toBe(true);
    expect(JSON.parse(stdout)).toMatchObject({ exportJobs: expect.any(Array) });
  });
});

describe('preflight and plan', () => {
  const options = '--from 2024-05-01 --to 2024-05-03 --destination archive';

  test('show the checks on a terminal, and end with code 1 if the export would fail', async () => {
    const good = await atTerminal(`preflight /app ${options}`);
    const bad = await atTerminal(`preflight /app ${options.replace('archive', 'nowhere')}`);

    expect(good).toMatchObject({
      code: 0,
      stderr: 'Time range: 2024-05-01T00:00:00Z to 2024-05-03T00:00:00Z (UTC)\n',
    });
    expect(good.stdout).toContain('pass     bucket ');
    expect(good.stdout).toMatch(/\nVerdict: warn\n$/);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/^fail {5}bucket +.*\n +.*Remedy: /m);
    for (const line of (good.stdout + bad.stdout).split('\n')) {
      expect(line.length).toBeLessThanOrEqual(80);
    }
  });

  test('show the policy that fixes the bucket', async () => {
    world.emulator.seed.bucket({ region, bucket: 'closed', policy: null });

    const { stdout } = await atTerminal(`preflight /app ${options.replace('archive', 'closed')}`);

    expect(stdout).toMatch(/^Fix of bucket-policy:\n\{\n {2}"Version"/m);
  });

  test('show the slices of a plan, ten of them, and create nothing', async () => {
    const before = await run('jobs');

    const { code, stdout, stderr } = await atTerminal(
      'plan /app --from 2024-04-01 --to 2024-05-01 --slice-by day --destination archive',
    );

    expect(code).toBe(0);
    expect(stdout).toMatch(/^Target +default\nLog groups +1\nSlices +30\n/);
    expect(stdout).toContain('9      2024-04-10T00:00:00Z  2024-04-11T00:00:00Z  /app\n\n');
    expect(stderr).toContain('There are 20 further slices.\n');
    expect(await run('jobs')).toEqual(before);
  });
});

describe('targets', () => {
  test('are a table', async () => {
    expect((await atTerminal('targets')).stdout).toBe(
      `NAME     STATE  REGION     ACCOUNT       DEFAULT  PROBLEM
default  ready  eu-west-1  123456789012  default
`,
    );
  });

  test('show the slot and the queue of one', async () => {
    const { stdout } = await atTerminal('targets default');

    expect(stdout).toMatch(/^Target +default\nState +ready since 2024-05-10T12:00:00Z\n/);
    expect(stdout).toMatch(/^Slot +free$/m);
    expect(stdout).toMatch(/^Queue +\d+ waiting, \d+ ready$/m);
    expect((await run('targets nowhere')).code).toBe(1);
  });
});

test('archives are a table', async () => {
  await insertArchive(world.database, { id: randomUUID() });

  const { code, stdout } = await atTerminal('archives --caller *');

  expect(code).toBe(0);
  expect(stdout).toMatch(/^ID +STATE +COVERED UNTIL +NAME/);
  expect(stdout.split('\n')).toHaveLength(3);
});

test('coverage is code 1 if there are gaps', async () => {
  expect(await run('coverage /app --from 2024-05-01 --to 2024-05-02')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'Time range: 2024-05-01T00:00:00Z to 2024-05-02T00:00:00Z (UTC)\nNothing is covered.\n',
  });
});

test('problems are explained with the commands of their remedies', async () => {
  const { stdout } = await run('problems export-task-failed');

  expect(stdout).toContain('with POST /export-jobs/{jobId}/retry (log-export retry <job id>).');
});

test('problems are explained, wrapped on a terminal and whole in a pipe', async () => {
  const terminal = await atTerminal('problems export-slot-taken');
  const piped = await run('problems export-slot-taken');

  expect(terminal.stdout).toMatch(/^Export slot taken by another task \(429\)\n\n/);
  expect(terminal.stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(piped.stdout.split('\n')).toHaveLength(7);
  expect(await run('problems no-such-problem')).toMatchObject({ code: 1 });
});
