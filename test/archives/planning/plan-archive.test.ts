import { describe, expect, test } from 'vitest';

import type { CreateArchive } from '#archives/planning/definition/create-archive-body.ts';
import { lookUpLogGroupsOf } from '#archives/planning/look-up-log-groups.ts';
import { planArchive } from '#archives/planning/plan-archive.ts';
import { openToAll } from '#auth/access.ts';
import { authorizerBy } from '../../access.ts';
import { requestOf } from '../../export-jobs/caller-requests.ts';
import { planOfArchive } from '../archives-of-callers.ts';
import { countPrefixes } from '../count-prefixes.ts';
import { type KeptArchives, openKeptArchives } from '../keeper/kept-archives.ts';

const { definition } = planOfArchive();
const listing = { elapsed: () => 0, sleep: async () => {} };

const lookUp = (kept: KeptArchives, selection: object) =>
  lookUpLogGroupsOf(kept.targets.find('default').logs, { ...definition, ...selection }, listing);

const plan = (
  kept: KeptArchives,
  body: Partial<CreateArchive>,
  authorizer = openToAll.authorizer,
) =>
  planArchive(
    { name: 'logs', destination: 'archive', ...body },
    {
      ...listing,
      database: kept.database,
      target: kept.targets.find('default'),
      now: kept.now(),
      archiveId: 'an-archive',
      request: requestOf('anonymous'),
      authorizer,
      heartbeatOrigins: [],
    },
  );

describe('looking up the log groups of an archive', () => {
  test('finds more names than one call has, and says which ones are missing', async () => {
    await using kept = await openKeptArchives();
    const names = Array.from({ length: 60 }, (_, index) => `/app/${index}`);
    for (const name of names.slice(1)) kept.seed(name);

    const { found, missing, isPartial } = await lookUp(kept, { logGroupNames: names });

    expect(found).toHaveLength(59);
    expect(missing).toEqual(['/app/0']);
    expect(isPartial).toBe(false);
  });

  test.each([
    [['/a'], 'No log group has the name /a.'],
    [['/a', '/b'], 'No log group has the name /a, nor the name /b.'],
    [['/a', '/b', '/c'], 'No log group has the name /a, nor one of the 2 other names.'],
  ])('rejects names of which none exists: %j', async (logGroupNames, detail) => {
    await using kept = await openKeptArchives();

    const refused = lookUp(kept, { logGroupNames });

    await expect(refused).rejects.toThrow(detail);
  });

  test('takes the first 10,000 log groups of all, without the excepted ones', async () => {
    await using kept = await openKeptArchives();
    kept.seed('/a');
    for (let index = 0; index < 10_001; index += 1) kept.seed(`/b/${index}`);
    const all = { logGroupNames: null, logGroupNamePrefix: '/' };

    const found = await lookUp(kept, { ...all, exceptLogGroupNamePrefixes: ['/a'] });

    expect(found).toMatchObject({ missing: [], isPartial: true });
    expect(found.found).toHaveLength(10_000);
    expect(found.found[0]?.logGroupName).toBe('/b/0');
  });
});

describe('planning an archive', () => {
  const long = `/app/${'x'.repeat(400)}`;
  const tooLong = {
    destinationPrefix: `${'p'.repeat(600)}/{logGroup}/{yyyy}/{MM}/{dd}`,
  };

  test('rejects a prefix that is too long with a named or a found log group', async () => {
    await using kept = await openKeptArchives();
    kept.seed(long);
    const refusal = { slug: 'invalid-request' };

    const ofName = plan(kept, { ...tooLong, logGroupNames: [long] });
    await expect(ofName).rejects.toMatchObject(refusal);
    const ofPrefix = plan(kept, { ...tooLong, logGroupNamePrefix: '/app/' });
    await expect(ofPrefix).rejects.toMatchObject(refusal);
  });

  test('renders one prefix if the first of a thousand log groups is refused', async () => {
    await using kept = await openKeptArchives();
    const logGroupNames = Array.from({ length: 1_000 }, (_, n) => `/app/${n}`);
    const fromAt = Date.UTC(2024, 0, 1);
    using prefixes = countPrefixes(fromAt);
    const authorizer = authorizerBy(() => false);

    const refused = plan(kept, { logGroupNames, from: fromAt }, authorizer);

    await expect(refused).rejects.toMatchObject({ slug: 'not-permitted' });
    expect(prefixes.rendered).toBe(1);
  });

  test('returns the found log groups, and each policy once', async () => {
    await using kept = await openKeptArchives();
    kept.seed('/app/one');
    kept.seed('/app/two');
    const authorizer = authorizerBy(() => true);

    const { logGroups, policies } = await plan(kept, { logGroupNamePrefix: '/app/' }, authorizer);

    expect(logGroups.map(({ logGroupName }) => logGroupName)).toEqual(['/app/one', '/app/two']);
    expect(policies).toEqual(['the-rule']);
  });

  test('names only the prefix when a log group of it is not permitted', async () => {
    await using kept = await openKeptArchives();
    kept.seed('/app/open');
    kept.seed('/app/secret');
    const authorizer = authorizerBy((_, { resource }) => resource.logGroupName !== '/app/secret');

    const refused = plan(kept, { logGroupNamePrefix: '/app/' }, authorizer);

    await expect(refused).rejects.toMatchObject({
      slug: 'not-permitted',
      message: expect.not.stringContaining('secret'),
    });
  });
});
