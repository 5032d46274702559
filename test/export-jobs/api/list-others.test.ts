import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { as, type Rule } from '../../access.ts';
import { openWorld, type World } from '../../world.ts';
import { jobOf, type Policies, policiesOf } from '../jobs-of-callers.ts';
import { storageBackends } from '../storage-backends.ts';

const nobodysSecrets: Rule = (_principal, { resource }) => resource.logGroupName !== '/secret';

describe.each(storageBackends)('the list of jobs, on %s', (_name, openStorage) => {
  let world: World;
  let policies: Policies;
  beforeAll(async () => {
    policies = policiesOf(nobodysSecrets);
    world = await openWorld({ jobs: await openStorage(), access: policies.access });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => policies.change(nobodysSecrets));

  const list = async (query: string, name = 'bob') => {
    const { status, body } = await world.call('GET', `/export-jobs?${query}`, undefined, as(name));
    const ids: string[] = (body.exportJobs ?? []).map(({ id }: { id: string }) => id);
    return { status, ids, body, nextCursor: body.nextCursor };
  };
  /** Follows the cursors of a list to its end. */
  const listAll = async (query: string) => {
    const pages: string[][] = [];
    for (let cursor = ''; ; ) {
      const { ids, nextCursor } = await list(`${query}${cursor}`);
      pages.push(ids);
      if (nextCursor === undefined) return pages;
      cursor = `&cursor=${nextCursor}`;
    }
  };
  let targets = 0;
  const newTarget = () => `target-${++targets}`;

  test('has the own jobs by default, and those of other callers on request', async () => {
    const target = newTarget();
    const own = await jobOf('bob', world.database, { target });
    const others = await jobOf('ann', world.database, { target });

    expect((await list(`target=${target}`)).ids).toEqual([own]);
    expect((await list(`target=${target}&caller=test%23ann`)).ids).toEqual([others]);
    expect((await list(`target=${target}&caller=*`)).ids.sort()).toEqual([own, others].sort());
  });

  test('has the jobs of an archive only on request, of all callers and page by page', async () => {
    const target = newTarget();
    const own = await jobOf('bob', world.database, { target });
    const archiveId = randomUUID();
    const ofArchive: string[] = [];
    for (const name of ['ann', 'bob', 'ann']) {
      const acceptedAt = ofArchive.length + 1;
      ofArchive.unshift(await jobOf(name, world.database, { target, archiveId, acceptedAt }));
    }
    await jobOf('ann', world.database, { target, archiveId, logGroupNames: ['/secret'] });
    await jobOf('bob', world.database, { target, archiveId: randomUUID() });

    const pages = await listAll(`archiveId=${archiveId}&limit=2`);
    const { body } = await list(`archiveId=${archiveId}&caller=test%23bob`);

    expect(pages.flat()).toEqual(ofArchive);
    expect(body.exportJobs).toMatchObject([{ id: ofArchive[1], archiveId, revision: 2 }]);
    expect((await list(`target=${target}`)).ids).toEqual([own]);
    expect((await list(`target=${target}&caller=*`)).ids).toEqual([own]);
    expect((await list(`archiveId=${randomUUID()}`)).ids).toEqual([]);
  });

  test('omits jobs that the caller may not read, and continues after them', async () => {
    const target = newTarget();
    const visible: string[] = [];
    for (let acceptedAt = 1; acceptedAt <= 12; acceptedAt += 1) {
      const logGroupNames = [
        ['/app'],
        ['/secret'],
        ['/app', '/other'],
        ['/app', '/other', '/secret'],
      ][acceptedAt % 4] as string[];
      const jobId = await jobOf('ann', world.database, { target, acceptedAt, logGroupNames });
      if (!logGroupNames.includes('/secret')) visible.unshift(jobId);
    }

    const pages = await listAll(`target=${target}&caller=*&limit=2`);

    expect(pages.flat()).toEqual(visible);
    expect(pages.map((page) => page.length)).toEqual([2, 2, 2]);
  });

  test('can have a short page with a next one, and no id of a hidden job', async () => {
    const target = newTarget();
    const oldest = await jobOf('ann', world.database, { target, acceptedAt: 1 });
    const hidden: string[] = [];
    for (let n = 0; n < 510; n += 1) {
      const job = { target, acceptedAt: 1_000, logGroupNames: ['/secret'] };
      hidden.push(await jobOf('ann', world.database, job));
    }

    const first = await list(`target=${target}&caller=*`);
    const second = await list(`target=${target}&caller=*&cursor=${first.nextCursor}`);

    expect(first.ids).toEqual([]);
    const cursor = Buffer.from(first.nextCursor, 'base64url').toString();
    expect(hidden.filter((id) => cursor.includes(id))).toEqual([]);
    expect(second.ids).toEqual([oldest]);
    expect(second.nextCursor).toBeUndefined();
  });

  test('ends a page early if jobs take many decisions', async () => {
    const target = newTarget();
    const logGroupNames = Array.from({ length: 400 }, (_, n) => `/g/${n}`);
    const ids: string[] = [];
    for (let acceptedAt = 1; acceptedAt <= 4; acceptedAt += 1) {
      ids.unshift(await jobOf('ann', world.database, { target, acceptedAt, logGroupNames }));
    }

    const first = await listAll(`target=${target}&caller=*`);
    const again = await listAll(`target=${target}&caller=*`);

    expect(first).toEqual([ids.slice(0, 2), ids.slice(2), []]);
    expect(again).toEqual([ids]); // answers about log groups are remembered
  });

  test.each(['', 'x'.repeat(1_025)])('rejects caller=%s', async (caller) => {
    const { status, body } = await list(`caller=${caller}`);

    expect(status).toBe(400);
    expect(body.errors[0]).toMatchObject({ in: 'query', pointer: '#/caller' });
  });
});
