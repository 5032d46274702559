import { describe, expect, test } from 'vitest';

import { openWorld } from '../world.ts';
import { runCli } from './run-cli.ts';

// Scripts read values from a pipe and give them back. So they must be those of the API, not those for people.

const noSlices = { waiting: 0, starting: 0, running: 0, cancelling: 0, verifying: 0 };
const job = {
  id: '5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10',
  state: 'failed',
  target: 'default',
  caller: 'anonymous',
  from: '2024-05-01T08:00:00.123Z',
  to: '2024-05-02T08:00:00.000Z',
  sliceBy: 'none',
  timeZone: 'UTC',
  destination: 'archive',
  destinationPrefix: 'a',
  sliceCounts: { ...noSlices, completed: 1_234, failed: 2_345, cancelled: 0, split: 0 },
  acceptedAt: '2024-05-03T08:00:00.001Z',
  startedAt: '2024-05-03T08:00:01.002Z',
  endedAt: '2024-05-03T08:00:02.003Z',
  queue: { position: 1, estimatedEndAt: '2024-05-03T14:20:31.456Z' },
  verified: { slices: 1_234, objects: 5_678, bytes: 9_876_543 },
  failures: [],
  links: {},
};

/** Runs a command whose requests are answered with a document. */
const run = (line: string, document: object, columns?: number) =>
  runCli(line, {
    env: { NO_COLOR: '1' },
    now: () => Date.parse('2024-05-03T12:00:00Z'),
    fetch: async () => Response.json(document),
    ...(columns !== undefined && { columns }),
  });

test('a time that a script reads and gives back keeps its milliseconds', async () => {
  await using world = await openWorld({ jobs: {} });
  const from = '2024-05-01T08:00:00.123Z';
  const body = {
    logGroupNames: ['/app'],
    from,
    to: '2024-05-02T00:00:00Z',
    destination: 'archive',
  };
  const { id } = (await world.call('POST', '/export-jobs', body)).body;
  const env = { LOG_EXPORT_URL: world.url };

  const { stdout } = await runCli(`show ${id}`, { env });
  const [, read] = /^From\t(.*)$/m.exec(stdout) ?? [];
  const { stderr } = await runCli(`coverage /app --from ${read} --to 2024-05-02`, { env });

  expect(stderr).toContain(`Time range: ${from} to `);
});

describe('in a pipe, the values of the API are in', () => {
  test('show', async () => {
    const { stdout } = await run(`show ${job.id}`, job);

    expect(stdout).toContain('\nSlices\t1234/3579 · 2345 failed\n');
    expect(stdout).toContain('\nEstimated end\t2024-05-03T14:20:31.456Z\n');
    expect(stdout).toContain(`\nFrom\t${job.from}\nTo\t${job.to}\n`);
    expect(stdout).toContain(
      `\nAccepted\t${job.acceptedAt}\nStarted\t${job.startedAt}\nEnded\t${job.endedAt}\n`,
    );
    expect(stdout).toContain('\nVerified\t1234 slices, 5678 objects, 9876543 bytes\n');
  });

  test('watch', async () => {
    const { stdout } = await run(`watch ${job.id}`, job);

    expect(stdout).toMatch(/ failed: 1234 of 3579 slices\.\n$/);
  });

  test('plan, with all slices that the gateway has sent', async () => {
    const slices = Array.from({ length: 12 }, (_, number) => ({
      number,
      logGroupName: '/app',
      from: job.from,
      to: job.to,
    }));
    const plan = {
      ...job,
      logGroupNames: ['/app'],
      sliceCount: 1_012,
      slices,
      queue: { slicesAhead: 0, estimatedStartAt: '2024-05-03T12:00:00.789Z' },
      preflight: { verdict: 'pass', checks: [] },
    };
    const words = 'plan /app --from 2024-05-01 --to 2024-05-02 --destination archive';

    const { stdout, stderr } = await run(words, plan);

    expect(stdout).toContain('\nWould start\t2024-05-03T12:00:00.789Z\n');
    expect(stdout).toContain(`\n11\t${job.from}\t${job.to}\t/app\n`);
    expect(stderr).toContain('\nThere are 1000 further slices.\n');
  });

  test('coverage', async () => {
    const { from, to } = job;
    const found = { from, to, destination: 'archive', prefix: 'a/', method: 'objects' };
    const coverage = { isCovered: false, covered: [{ from, to }], exports: [found] };

    const { stdout, stderr } = await run('coverage /app --from -7d --to today', coverage);

    expect(stdout).toBe(`${from}\t${to}\ts3://archive/a/\tobjects\n`);
    expect(stderr).toContain(`\nOnly a part is covered: ${from} to ${to}.\n`);
  });

  test('archives', async () => {
    const progress = { watermark: job.from, logGroupCount: 1, partitionCounts: {} };
    const archive = { ...job, name: 'all', state: 'current', partitionBy: 'hour', progress };

    const { stdout } = await run('archives', { archives: [archive] });

    expect(stdout.split('\t')[2]).toBe(job.from);
  });

  test('targets', async () => {
    const target = {
      name: 'default',
      region: 'eu-west-1',
      isDefault: true,
      state: 'ready',
      since: job.from,
      slot: { state: 'foreign', since: job.to },
      busyShareLastHour: 0.4567,
    };

    const { stdout } = await run('targets default', target);

    expect(stdout).toContain(`\nState\tready since ${job.from}\n`);
    expect(stdout).toContain(`\nSlot since\t${job.to}\nBusy\t0.4567\n`);
  });
});

test('on a terminal, milliseconds that are zero are omitted, and numbers have separators', async () => {
  const { stdout } = await run(`show ${job.id}`, job, 80);

  expect(stdout).toMatch(/^Slices +1234\/3579 · 2345 failed · ends ~14:20$/m);
  expect(stdout).toMatch(/^From +2024-05-01T08:00:00\.123Z\nTo +2024-05-02T08:00:00Z$/m);
  expect(stdout).toMatch(/^Verified +1,234 slices, 5,678 objects, 9,876,543 bytes$/m);
});
