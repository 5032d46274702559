import { expect, test } from 'vitest';

import { openToAll } from '#auth/access.ts';
import type { TargetSettings } from '#targets/target.ts';
import { authorizerBy } from '../access.ts';
import { openWorld, region, type World } from '../world.ts';

const regions = ['eu-west-1', 'us-east-1'];

/** Targets of as many accounts, in two Regions. */
const targetsOf = (count: number): TargetSettings[] =>
  Array.from({ length: count }, (_, index) => ({
    name: `account.${index}`,
    region: regions[index % 2] as string,
    roleArn: `arn:aws:iam::${200_000_000_000 + index}:role/log-export`,
  }));

/** Reads all pages. Returns the names of each page. */
async function readPages(world: World, query: string): Promise<string[][]> {
  const pages: string[][] = [];
  let cursor: string | undefined = '';
  while (cursor !== undefined) {
    const answer = await world.call('GET', `/targets?${query}${cursor && `&cursor=${cursor}`}`);
    expect(answer.status).toBe(200);
    pages.push(answer.body.targets.map(({ name }: { name: string }) => name));
    cursor = answer.body.nextCursor;
  }
  return pages;
}

test('returns pages in the order of the configuration, each target once', async () => {
  await using world = await openWorld({ targets: targetsOf(45) });

  const [pages, longer] = [await readPages(world, ''), await readPages(world, 'limit=30')];

  expect(pages.map((page) => page.length)).toEqual([20, 20, 5]);
  expect(longer.map((page) => page.length)).toEqual([30, 15]);
  expect(pages.flat()).toEqual(targetsOf(45).map(({ name }) => name));
  expect(longer.flat()).toEqual(pages.flat());
});

test('returns only targets of a state, a Region and an account', async () => {
  const roleArn = targetsOf(5)[4]?.roleArn as string;
  await using world = await openWorld({
    targets: targetsOf(6),
    emulator: { roles: { [roleArn]: { refuses: true } } },
  });

  const unusable = await readPages(world, 'state=unusable');
  const there = await readPages(world, 'region=us-east-1');
  const both = await readPages(world, 'state=ready&region=eu-west-1');
  const one = await readPages(world, 'accountId=200000000003');
  const none = await readPages(world, 'accountId=999999999999');

  expect(unusable).toEqual([['account.4']]);
  expect(there).toEqual([['account.1', 'account.3', 'account.5']]);
  expect(both).toEqual([['account.0', 'account.2']]);
  expect(one).toEqual([['account.3']]);
  expect(none).toEqual([[]]);
});

test('returns the problem of an unusable target, and no role', async () => {
  const [target] = targetsOf(1);
  const roleArn = target?.roleArn as string;
  await using world = await openWorld({
    targets: [
      { name: 'default', region },
      { ...(target as TargetSettings), region: 'us-east-1' },
    ],
    emulator: { roles: { [roleArn]: { refuses: true } } },
  });

  const { body, text } = await world.call('GET', '/targets?state=unusable');
  const one = await world.call('GET', '/targets/account.0');

  expect(body.targets).toEqual([
    {
      name: 'account.0',
      region: 'us-east-1',
      accountId: '200000000000',
      isDefault: false,
      state: 'unusable',
      since: expect.stringMatching(/^20.*Z$/),
      problem: {
        type: '/problems/service-role-unusable',
        title: 'Unusable service role credentials',
        detail: expect.stringContaining('AWS STS refused the service role'),
        remedy: expect.stringContaining('Ask the operator of the service'),
      },
    },
  ]);
  expect(one.body).toEqual(body.targets[0]);
  expect(text).not.toMatch(/arn:|log-export/);
});

test.each([
  ['state=broken', '#/state'],
  ['accountId=12', '#/accountId'],
  ['limit=0', '#/limit'],
  ['cursor=x', '#/cursor'],
])('rejects %s', async (query, pointer) => {
  await using world = await openWorld();

  const { status, body } = await world.call('GET', `/targets?${query}`);

  expect([status, body.errors[0].pointer]).toEqual([400, pointer]);
});

test('decides 500 of 10,000 targets for a page, in chunks, when the caller may see none', async () => {
  let decisions = 0;
  const authorizer = authorizerBy(() => {
    decisions += 1;
    return false;
  });
  await using world = await openWorld({
    targets: targetsOf(10_000),
    isCheckAwaited: false,
    checkWhen: new Promise(() => {}), // their states do not matter, and twenty thousand calls take long
    access: () => ({ ...openToAll, authorizer }),
  });
  let turns = 0;
  let isDone = false;
  const count = async () => {
    for (; !isDone; turns += 1) await new Promise(setImmediate);
  };

  const counted = count();
  const { body } = await world.call('GET', '/targets');
  isDone = true;
  await counted;
  const decided = decisions;
  const pages = await readPages(world, '');

  expect(body).toEqual({ targets: [], nextCursor: expect.any(String) });
  expect(decided).toBe(500);
  expect(turns).toBeGreaterThanOrEqual(500 / 20);
  expect(pages).toHaveLength(20 + 1);
  expect(pages.flat()).toEqual([]);
});
