import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { as, callersBy } from '../../access.ts';
import { openWorld, type World } from '../../world.ts';
import { insertManyJobs } from '../insert-many-jobs.ts';
import { storageBackends } from '../storage-backends.ts';

describe.each(storageBackends)('a filtered list of many jobs, on %s', (_name, openStorage) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ jobs: await openStorage(), access: callersBy(() => true) });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** Follows the cursors of a list to its end. Returns the ids of each page. */
  const listAll = async (name: string, query: string) => {
    const pages: string[][] = [];
    for (let cursor = ''; ; ) {
      const path = `/export-jobs?limit=100&${query}${cursor}`;
      const { body } = await world.call('GET', path, undefined, as(name));
      pages.push(body.exportJobs.map(({ id }: { id: string }) => id));
      if (body.nextCursor === undefined) return pages;
      cursor = `&cursor=${body.nextCursor}`;
    }
  };

  test('has each job in an end state once, on short pages', async () => {
    const name = randomUUID();
    const jobs = { caller: `test#${name}`, jobs: 25_000, state: 'completed' } as const;
    const failed = await insertManyJobs(world.database, { ...jobs, every: 1_999, other: 'failed' });

    const pages = await listAll(name, 'state=failed');

    expect(pages.flat()).toEqual(failed);
    expect(pages.map((page) => page.length)).toEqual([10, 3]);
  });

  test('has the open jobs among many ended ones on one page', async () => {
    const name = randomUUID();
    const jobs = { caller: `test#${name}`, jobs: 25_000, state: 'cancelled' } as const;
    const open = await insertManyJobs(world.database, {
      ...jobs,
      every: 9_000,
      other: 'verifying',
    });

    expect(await listAll(name, 'state=running')).toEqual([open]);
    expect(await listAll(name, 'state=waiting')).toEqual([[]]);
  });

  test('has the open jobs of a caller on one page beside many open jobs of others', async () => {
    const name = randomUUID();
    const open = { state: 'waiting', every: 2, other: 'waiting' } as const;
    const own = await insertManyJobs(world.database, {
      ...open,
      caller: `test#${name}`,
      jobs: 1,
    });
    await insertManyJobs(world.database, { ...open, caller: 'test#another', jobs: 25_000 });

    expect(await listAll(name, 'state=waiting')).toEqual([own]);
  });
});
