import { describe, expect, test } from 'vitest';
import { listSelected } from '#archives/keeper/log-groups/list-log-groups.ts';
import type { DescribeLogGroups, LogGroup } from '#aws/log-groups/describe-log-groups.ts';
import { statedLimits } from '#problems/limits.ts';

const { logGroupsPerArchive } = statedLimits;
const all = { logGroupNames: null, logGroupNamePrefix: null, exceptLogGroupNamePrefixes: [] };

/** Lists log groups of an AWS that answers with `pageOf`. */
async function list(
  selection: Parameters<typeof listSelected>[1],
  pageOf: (query: DescribeLogGroups) => { names: string[]; nextToken?: string },
) {
  const queries: DescribeLogGroups[] = [];
  const describeLogGroups = async (query: DescribeLogGroups) => {
    queries.push(query);
    const { names, ...rest } = pageOf(query);
    const logGroups: LogGroup[] = names.map((logGroupName) => ({ logGroupName }));
    return { logGroups, ...rest };
  };
  const calls = { sleep: async () => {}, signal: new AbortController().signal };
  const pages = await Array.fromAsync(listSelected({ describeLogGroups }, selection, calls));
  const names = pages.flatMap(({ logGroups }) => logGroups.map((each) => each.logGroupName));
  return { queries, names, isComplete: pages.at(-1)?.isLast };
}

describe('a listing', () => {
  test('asks for names in groups of 50, and is complete with the last of them', async () => {
    const logGroupNames = Array.from({ length: 101 }, (_, index) => `/app/${index}`);

    const { queries, names, isComplete } = await list({ ...all, logGroupNames }, (query) => ({
      names: query.logGroupIdentifiers ?? [],
    }));

    expect(queries.map((query) => query.logGroupIdentifiers?.length)).toEqual([50, 50, 1]);
    expect(names).toEqual(logGroupNames);
    expect(isComplete).toBe(true);
  });

  test('asks with the prefix and the token of the page before, also after an empty page', async () => {
    const selection = {
      ...all,
      logGroupNamePrefix: '/app/',
      exceptLogGroupNamePrefixes: ['/app/x'],
    };

    const { queries, names, isComplete } = await list(selection, ({ nextToken }) =>
      nextToken === undefined
        ? { names: [], nextToken: 'second' }
        : { names: ['/app/a', '/app/x/1', '/other'] },
    );

    expect(queries).toEqual([
      { logGroupNamePrefix: '/app/', limit: 50 },
      { logGroupNamePrefix: '/app/', nextToken: 'second', limit: 50 },
    ]);
    expect(names).toEqual(['/app/a']);
    expect(isComplete).toBe(true);
  });

  test('ends incomplete at the most log groups of an archive, and after pages without end', async () => {
    const tooMany = Array.from({ length: logGroupsPerArchive + 1 }, (_, index) => `/app/${index}`);

    const cut = await list(all, () => ({ names: tooMany }));
    const endless = await list(all, () => ({ names: [], nextToken: 'more' }));

    expect(cut).toMatchObject({ isComplete: false, names: tooMany.slice(0, -1) });
    expect(endless).toMatchObject({ isComplete: false, names: [] });
    expect(endless.queries).toHaveLength((4 * logGroupsPerArchive) / 50);
  });
});
