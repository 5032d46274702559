import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { ArchiveSummary } from '#archives/archive.ts';
import { readArchivePart } from '#archives/store/reads/read-archives.ts';
import { toStored } from '#export-jobs/dispatcher/attempts/stored-problem.ts';
import { Problem } from '#problems/problem.ts';
import type { Rule } from '../../access.ts';
import { as } from '../../access.ts';
import { type Policies, policiesOf } from '../../export-jobs/jobs-of-callers.ts';
import { storageBackends } from '../../export-jobs/storage-backends.ts';
import { openWorld, type World } from '../../world.ts';
import { archiveBody, summaryOf } from '../archives-of-callers.ts';

/** The built-in policy, and everybody may create. */
const ownOnly: Rule = (_principal, { action, context }) =>
  action === 'CreateArchive' || context?.isOwn === true;

describe.each(storageBackends)('an archive on %s', (_name, openStorage) => {
  let world: World;
  let policies: Policies;
  beforeAll(async () => {
    policies = policiesOf(ownOnly);
    world = await openWorld({ jobs: await openStorage(), access: policies.access });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => {
    policies.change(ownOnly);
    world.audit.length = 0;
  });

  const get = (name: string, path: string, headers = {}) =>
    world.call('GET', `/archives${path}`, undefined, { ...as(name), ...headers });
  const create = async (name: string, body: object = {}) => {
    const answer = await world.call('POST', '/archives', { ...archiveBody, ...body }, as(name));
    expect(answer.status).toBe(201);
    return answer.body.id as string;
  };
  const look = (id: string, summary: Partial<ArchiveSummary>) =>
    world.database.queries
      .updateTable('archives')
      .set(({ eb }) => ({
        summary: JSON.stringify(summaryOf(summary)),
        lookedAt: Date.UTC(2024, 4, 4),
        version: eb('version', '+', 1),
      }))
      .where('id', '=', id)
      .execute();
  const idsOf = ({ body }: Awaited<ReturnType<typeof get>>) =>
    body.archives.map(({ id }: { id: string }) => id);

  describe('GET /archives/{archiveId}', () => {
    test('returns what the last look found', async () => {
      const id = await create('ann');
      await look(id, {
        state: 'atRisk',
        watermarkAt: Date.UTC(2024, 4, 1),
        nextExpiryAt: Date.UTC(2024, 4, 5),
        nextExpiryOf: '/app',
      });

      const { body } = await get('ann', `/${id}`);

      expect(body).toMatchObject({
        state: 'atRisk',
        progress: {
          lookedAt: '2024-05-04T00:00:00.000Z',
          watermark: '2024-05-01T00:00:00.000Z',
          nextExpiry: { at: '2024-05-05T00:00:00.000Z', logGroupName: '/app' },
          partitionCounts: { covered: 9 },
        },
      });
    });

    test.each([
      ['destination-not-found', 'Create the bucket in the Region of the target, or correct'],
      ['destination-not-writable', 'POST /preflights shows all of that'],
      ['service-role-not-permitted', 'Ask the operator of the service to allow'],
    ] as const)('after a stop by %s asks for no request and no retry', async (slug, kept) => {
      const id = await create('ann');
      await world.database.queries
        .updateTable('archives')
        .set({ stopProblem: JSON.stringify(toStored(new Problem(slug, 'It failed.'))) })
        .where('id', '=', id)
        .execute();

      const { remedy } = (await get('ann', `/${id}`)).body.stopProblem;

      expect(remedy).toContain(kept);
      expect(remedy).not.toMatch(/request again|retry|retried|new job|slice failed/);
      expect(remedy).toMatch(
        / Then the archive continues by itself: this service checks the destination every 15 minutes\. To export to another bucket, change `destination` with PATCH \/archives\/\{archiveId\}\.$/,
      );
    });

    test('hides the name of a log group that the caller may not read, also in lists', async () => {
      const id = await create('ann', { logGroupNames: undefined, logGroupNamePrefix: '/ap' });
      await look(id, { nextExpiryAt: Date.UTC(2024, 4, 5), nextExpiryOf: '/app/secret' });
      policies.change((_principal, { resource }) => resource.logGroupName !== '/app/secret');

      const one = await get('ann', `/${id}`);
      const list = await get('ann', '');

      const nextExpiry = { at: '2024-05-05T00:00:00.000Z' };
      expect(one.body.progress.nextExpiry).toEqual(nextExpiry);
      const [listed] = list.body.archives.filter((archive: { id: string }) => archive.id === id);
      expect(listed.progress.nextExpiry).toEqual(nextExpiry);
    });

    test('answers for an archive of another caller as for one that does not exist', async () => {
      const ids = [await create('ann'), randomUUID(), await create('ann'), randomUUID()];

      const seen = new Set<string>();
      for (const id of ids) {
        const { status, text, body } = await get('bob', `/${id}`);
        seen.add(JSON.stringify([status, text.replace(body.instance, '')]).replaceAll(id, ''));
      }

      expect([...seen]).toEqual([
        expect.stringMatching(/archive-not-found.*No archive that you may see has this id\./),
      ]);
    });

    test('is decided by target, each name, bucket and prefix template', async () => {
      const id = await create('ann', { logGroupNames: ['/app', '/b'] });
      const asked: unknown[] = [];
      policies.change((_principal, question) => asked.push(question) > 0);

      await get('bob', `/${id}`);

      const { name, accountId, region } = world.targets.find(undefined);
      const about = (logGroupName: string) => ({
        action: 'ReadArchive',
        resource: { target: { name, accountId, region }, logGroupName },
        context: {
          destination: 'archive',
          destinationPrefix: '{account}/{region}/{logGroup}/{yyyy}/{MM}/{dd}/r{revision}/{attempt}',
          isOwn: false,
        },
      });
      expect(asked).toEqual([about('/app'), about('/b')]);
    });

    test('is decided by the prefix, as if a log group had that name', async () => {
      const id = await create('ann', { logGroupNames: undefined, logGroupNamePrefix: '/ap' });
      policies.change((_principal, { resource }) => resource.logGroupName === '/ap');

      expect((await get('bob', `/${id}`)).status).toBe(200);
    });

    test('returns 304 for its ETag, and 200 after a look', async () => {
      const id = await create('ann');
      const { headers } = await get('ann', `/${id}`);
      const etag = headers.get('etag') ?? '';

      const same = await get('ann', `/${id}`, { 'if-none-match': etag });
      const weak = await get('ann', `/${id}`, { 'if-none-match': `W/${etag}` });
      await look(id, { state: 'current' });
      const other = await get('ann', `/${id}`, { 'if-none-match': etag });

      expect([same.status, weak.status, other.status]).toEqual([304, 304, 200]);
    });

    test('waits for a change of another process', async () => {
      const id = await create('ann');
      const etag = (await get('ann', `/${id}`)).headers.get('etag') ?? '';

      const waiting = get('ann', `/${id}?wait=30`, { 'if-none-match': etag });
      await world.waitFor(() => world.waitingForArchives() > 0);
      await look(id, { state: 'current' });

      expect((await waiting).body.state).toBe('current');
    });

    test('rejects a waiting request if the policies have changed meanwhile', async () => {
      const id = await create('ann');
      const waiting = get('ann', `/${id}?wait=30`);
      await world.waitFor(() => world.waitingForArchives() > 0);

      policies.change(() => false);
      await look(id, { state: 'current' });

      expect((await waiting).status).toBe(404);
    });
  });

  describe('GET /archives', () => {
    test('returns the own archives, newest first, in pages', async () => {
      const ids = [await create('cat'), await create('cat'), await create('cat')].toReversed();

      const first = await get('cat', '?limit=2');
      const second = await get('cat', `?limit=2&cursor=${first.body.nextCursor}`);

      expect([...idsOf(first), ...idsOf(second)]).toEqual(ids);
      expect(second.body.nextCursor).toBeUndefined();
    });

    test('filters by state, target and name', async () => {
      const behind = await create('dan', { name: 'one' });
      const current = await create('dan', { name: 'two' });
      const ended = await create('dan', { name: 'two' });
      await look(current, { state: 'current' });
      await look(ended, { state: 'current' });
      await world.database.queries
        .updateTable('archives')
        .set({ endedAt: 1 })
        .where('id', '=', ended)
        .execute();

      expect(idsOf(await get('dan', '?state=behind'))).toEqual([behind]);
      expect(idsOf(await get('dan', '?state=current&limit=1'))).toEqual([current]);
      expect(idsOf(await get('dan', '?state=ended'))).toEqual([ended]);
      expect(idsOf(await get('dan', '?name=two'))).toEqual([ended, current]);
      expect(idsOf(await get('dan', '?target=other'))).toEqual([]);
    });

    test('returns those of others that the policies permit', async () => {
      const open = await create('eve', { name: 'open' });
      const secret = await create('eve', { logGroupNames: ['/app', '/secret'] });
      policies.change((_principal, { resource }) => resource.logGroupName !== '/secret');

      const seen = idsOf(await get('bob', '?caller=test%23eve'));
      const all = idsOf(await get('bob', '?caller=*&limit=100'));

      expect(seen).toEqual([open]);
      expect(all).toContain(open);
      expect(all).not.toContain(secret);
    });

    test('reads few archives at once, and returns all of them', async () => {
      const ids: string[] = [];
      for (let number = 0; number < 7; number += 1) ids.push(await create('ida', { name: 'x' }));

      const { database } = world;
      const part = await readArchivePart(database, { caller: 'test#ida', limit: 100 });
      const page = await get('ida', '?limit=100');

      expect(part.entries.map(({ id }) => id)).toEqual(ids.slice(-5).toReversed());
      expect(idsOf(page)).toEqual(ids.toReversed());
      expect(page.body.nextCursor).toBeUndefined();
    });

    test('has at most a hundred names of each archive', async () => {
      const logGroupNames = Array.from({ length: 101 }, (_, n) => (n === 0 ? '/app' : `/g/${n}`));
      const id = await create('gus', { logGroupNames });

      const list = await get('gus', '');
      const { body } = await get('gus', `/${id}`);

      expect(list.body.archives[0].logGroupNames).toEqual(logGroupNames.slice(0, 100));
      expect(body.logGroupNames).toEqual(logGroupNames);
    });

    test('has a short page with a next one after too many decisions', async () => {
      const logGroupNames = Array.from({ length: 400 }, (_, n) => (n === 0 ? '/app' : `/g/${n}`));
      const ids = [await create('fay', { logGroupNames }), await create('fay', { logGroupNames })];

      const first = await get('bob', '?caller=test%23fay');
      policies.change((_principal, { action }) => action === 'ReadArchive');
      const page = await get('bob', '?caller=test%23fay');
      const next = await get('bob', `?caller=test%23fay&cursor=${page.body.nextCursor}`);

      expect(first.body).toEqual({ archives: [] });
      expect(idsOf(page)).toEqual(ids.toReversed());
      expect(idsOf(next)).toEqual([]);
    });
  });
});
