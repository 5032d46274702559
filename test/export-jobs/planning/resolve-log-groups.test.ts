import { describe, expect, test } from 'vitest';

import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { maxListingMs, resolveLogGroups } from '#export-jobs/planning/resolve-log-groups.ts';
import { openWorld, region, type World } from '../../world.ts';

const message = 'x'.repeat(974); // with AWS's 26 bytes for each event 1,000

/** Seeds log groups /many/0000 …, each with 1,000 bytes, and one other. */
function seedGroups({ emulator }: World, count: number): string[] {
  const names = Array.from({ length: count }, (_, i) => `/many/${String(i).padStart(4, '0')}`);
  for (const logGroupName of [...names, '/man']) {
    const events = [{ timestamp: 1, message }];
    emulator.seed.logEvents({ region, logGroupName, logStreamName: 'web', events });
  }
  return names;
}

/** Resolves a prefix, and records the pauses. */
async function resolve(world: World, prefix: string) {
  const slept: number[] = [];
  const sleep = async (ms: number) => void slept.push(ms);
  const { logs } = world.targets.find(undefined);
  const options = { elapsed: () => 0, sleep };
  const found = await resolveLogGroups(logs, prefix, options).catch((problem) => problem);
  return { found, slept, pages: world.calls('DescribeLogGroups').length };
}

describe('the log groups of a prefix', () => {
  test('are complete, in order, with their stored bytes', async () => {
    await using world = await openWorld();
    const logGroupNames = seedGroups(world, 123);

    const { found } = await resolve(world, '/many/');

    expect(found).toEqual({ logGroupNames, storedBytes: 123_000 });
    expect(world.calls('DescribeLogGroups').map(({ input }) => input)).toEqual([
      { logGroupNamePrefix: '/many/', limit: 50 },
      { logGroupNamePrefix: '/many/', limit: 50, nextToken: expect.any(String) },
      { logGroupNamePrefix: '/many/', limit: 50, nextToken: expect.any(String) },
    ]);
  });

  test('can be one, with one call and no pause', async () => {
    await using world = await openWorld();

    expect(await resolve(world, '/app')).toEqual({
      found: { logGroupNames: ['/app'], storedBytes: 0 },
      slept: [],
      pages: 1,
    });
  });

  test('can be more than a body can name, at four pages per second', async () => {
    await using world = await openWorld();
    seedGroups(world, 1_200);

    const { found, slept, pages } = await resolve(world, '/many/');

    expect(found.logGroupNames).toHaveLength(1_200);
    expect(pages).toBe(24);
    expect(slept).toEqual(Array(23).fill(250));
  });

  test('are rejected with too-many-slices above the limit of slices', async () => {
    await using world = await openWorld();
    for (let i = 0; i <= 10_000; i += 1) {
      world.emulator.seed.logGroup({ region, logGroupName: `/many/${i}` });
    }

    const { found, pages } = await resolve(world, '/many/');

    expect(found).toMatchObject({
      slug: 'too-many-slices',
      detail:
        'More than 10,000 log groups begin with /many/. Each is at least one slice, and a job has a limit of 10,000 slices. AWS had listed 10,001 log groups.',
    });
    expect(pages).toBe(201);
  });

  test('are rejected with no-log-groups if there are none', async () => {
    await using world = await openWorld();

    const { found } = await resolve(world, '/App');

    expect(found).toMatchObject({
      slug: 'no-log-groups',
      detail: 'No log group begins with /App.',
    });
  });

  test('are retried when AWS throttles a page, then rejected with its problem', async () => {
    await using world = await openWorld();
    const throttled = {
      operation: 'DescribeLogGroups',
      kind: 'error',
      code: 'ThrottlingException',
    } as const;

    world.emulator.faults.add({ ...throttled, count: 2 });
    const patient = await resolve(world, '/app');
    world.emulator.faults.add({ ...throttled, count: 3 });
    const inVain = await resolve(world, '/app');

    expect(patient.found.logGroupNames).toEqual(['/app']);
    expect(inVain.found).toMatchObject({ slug: 'aws-throttled' });
  });

  test('are rejected when AWS lists them without end', async () => {
    let pages = 0;
    const describeLogGroups: CloudWatchLogs['describeLogGroups'] = async () => {
      pages += 1;
      return { logGroups: [{ logGroupName: '/app' }], nextToken: 'more' };
    };

    const options = { elapsed: () => 0, sleep: async () => {} };
    const found = resolveLogGroups({ describeLogGroups }, '/app', options);

    await expect(found).rejects.toMatchObject({ slug: 'aws-unexpected' });
    expect(pages).toBe(400);
  });

  test('are rejected when AWS takes too long to list them', async () => {
    let now = 0;
    const describeLogGroups: CloudWatchLogs['describeLogGroups'] = async () => {
      now += maxListingMs / 3;
      return { logGroups: [{ logGroupName: '/app' }], nextToken: 'more' };
    };

    const options = { elapsed: () => now, sleep: async () => {} };
    const found = resolveLogGroups({ describeLogGroups }, '/app', options);

    await expect(found).rejects.toMatchObject({ slug: 'aws-timeout' });
    expect(now).toBeCloseTo((4 / 3) * maxListingMs);
  });

  test.each([
    ['/many/', 'AWS had listed 50 log groups, up to /many/0049.'],
    ['/none/', 'AWS had listed 50 log groups.'],
  ])(
    'are rejected with how far AWS came, and with a name if the caller may know %s',
    async (known, progress) => {
      await using world = await openWorld();
      seedGroups(world, 123);
      const error = { kind: 'error', code: 'ThrottlingException' } as const;
      world.emulator.faults.add({ ...error, operation: 'DescribeLogGroups', skip: 1, count: 3 });
      const mayName = (name: string) => name.startsWith(known);

      const { logs } = world.targets.find(undefined);
      const options = { elapsed: () => 0, sleep: async () => {}, mayName };
      const found = resolveLogGroups(logs, '/many/', options);

      await expect(found).rejects.toMatchObject({
        slug: 'aws-throttled',
        detail: expect.stringMatching(
          new RegExp(`[^ ] ${progress.replaceAll('.', String.raw`\.`)}$`),
        ),
      });
    },
  );
});
