import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { openWorld, type World } from '../../world.ts';
import { bringTo, givenJob, sliceProblem } from '../accepted-jobs.ts';
import { insertAttempt } from '../insert-rows.ts';
import { jobOf } from '../jobs-of-callers.ts';
import { storageBackends } from '../storage-backends.ts';

const firstDay = Date.UTC(2024, 0, 1);

describe.each(storageBackends)('reading jobs, on %s', (_name, openStorage) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ jobs: await openStorage() });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const get = (path: string, etag?: string | null) =>
    world.call('GET', `/export-jobs${path}`, undefined, etag ? { 'if-none-match': etag } : {});
  const change = async (
    jobId: string,
    ...to: Parameters<typeof bringTo> extends [unknown, unknown, ...infer Rest] ? Rest : never
  ) => {
    await bringTo(world.database, jobId, ...to);
    world.jobChanged(jobId);
  };

  describe('GET /export-jobs/{jobId}', () => {
    test('returns the progress and the failures of a job', async () => {
      const { database } = world;
      const jobId = await givenJob(database, 9, { facts: { target: randomUUID() } });
      await bringTo(database, jobId, 0, 'completed');
      for (const slice of [1, 2, 3]) {
        const problem = sliceProblem('export-task-failed', `Slice ${slice}.`);
        await bringTo(database, jobId, slice, 'failed', problem);
      }
      await bringTo(database, jobId, 4, 'failed', sliceProblem('destination-not-writable'));
      await bringTo(database, jobId, 5, 'running');

      const { status, body, headers } = await get(`/${jobId}`);

      expect(status).toBe(200);
      expect(headers.get('cache-control')).toBe('no-cache');
      expect(body).toMatchObject({
        state: 'running',
        sliceCounts: { waiting: 3, running: 1, completed: 1, failed: 4, cancelled: 0 },
        failures: [
          { slices: 3, problem: { type: '/problems/export-task-failed' } },
          { slices: 1, problem: sliceProblem('destination-not-writable') },
        ],
      });
      expect(body.endedAt).toBeUndefined();
      expect(body.startedAt).toBeUndefined();
    });

    test.each(['refused', 'not-sent', 'not-created'])(
      'returns no start while only an attempt has ended %s',
      async (outcome) => {
        const { database } = world;
        const jobId = await givenJob(database, 1);
        await insertAttempt(database, { jobId, submittedAt: 1_000, outcome });

        const other = await givenJob(database, 1);
        await insertAttempt(database, { jobId: other, submittedAt: 1_000, outcome });
        const next = { jobId: other, attempt: 2, submittedAt: 2_000, taskId: 'task' };
        await insertAttempt(database, next);

        expect((await get(`/${jobId}`)).body).not.toHaveProperty('startedAt');
        expect((await get(`/${other}`)).body.startedAt).toBe('1970-01-01T00:00:02.000Z');
      },
    );

    test('returns when a job started and ended', async () => {
      const { database } = world;
      const jobId = await givenJob(database, 1);
      const attempt = {
        jobId,
        slice: 0,
        attempt: 1,
        target: 'default',
        fence: 1,
        submittedAt: 1_000,
      };
      const task = { taskId: null, taskCreatedAt: null, taskCompletedAt: null };
      const end = { endedAt: null, outcome: null, problem: null };
      const names = { marker: randomUUID(), destinationPrefix: 'x' };
      await database.queries
        .insertInto('attempts')
        .values({ ...attempt, ...names, ...task, ...end })
        .execute();
      await bringTo(database, jobId, 0, 'completed');

      const { body } = await get(`/${jobId}`);

      expect(body).toMatchObject({ state: 'completed', startedAt: '1970-01-01T00:00:01.000Z' });
      expect(Date.parse(body.endedAt)).toBeGreaterThan(Date.UTC(2026, 0, 1));
      expect(body.queue).toBeUndefined();
    });

    test.each([
      ['an unknown job', randomUUID()],
      ['what is no id', 'x'],
    ])('returns 404 for %s, alike for all', async (_case, jobId) => {
      const answers = await Promise.all([
        get(`/${jobId}`),
        get(`/${jobId}/slices`),
        world.call('POST', `/export-jobs/${jobId}/cancel`),
        world.call('POST', `/export-jobs/${jobId}/retry`),
      ]);

      for (const { status, body } of answers) {
        expect(status).toBe(404);
        expect(body).toMatchObject({
          type: '/problems/export-job-not-found',
          detail: 'No export job that you may see has this id.',
        });
      }
    });

    test('returns 304 while nothing has changed', async () => {
      const jobId = await givenJob(world.database, 2);
      const first = await get(`/${jobId}`);
      const etag = first.headers.get('etag') as string;
      expect(etag).toMatch(/^W\/"1-\d+"$/);

      for (const known of [etag, etag.slice(2), `"x", ${etag}`, '*']) {
        const same = await get(`/${jobId}`, known);
        expect(same.status).toBe(304);
        expect(same.text).toBe('');
        expect(same.headers.get('etag')).toBe(etag);
      }

      await change(jobId, 0, 'completed');
      const other = await get(`/${jobId}`, etag);
      expect(other.status).toBe(200);
      expect(other.headers.get('etag')).toMatch(/^W\/"2-/);
    });

    test('returns no length to HEAD if there is no content', async () => {
      const jobId = await givenJob(world.database, 1);
      await change(jobId, 0, 'completed');

      const known = await world.call('HEAD', `/export-jobs/${jobId}`, undefined, {
        'if-none-match': '*',
      });
      const ended = await world.call('HEAD', `/export-jobs/${jobId}/events?lastEventId=99`);

      expect([known.status, known.headers.get('content-length')]).toEqual([304, null]);
      expect([ended.status, ended.headers.get('content-length')]).toEqual([204, null]);
    });

    test.each(['the ETag', '*'])('waits for a change since %s', async (known) => {
      const jobId = await givenJob(world.database, 2);
      const etag = (await get(`/${jobId}`)).headers.get('etag');

      const waiting = get(`/${jobId}?wait=30`, known === '*' ? known : etag);
      await world.waitFor(() => world.waiting() > 0);
      await change(jobId, 0, 'completed');

      const answer = await waiting;
      expect(answer.status).toBe(200);
      expect(answer.body.sliceCounts.completed).toBe(1);
    });

    test('waits for the next change without an ETag, unless the job has ended', async () => {
      const jobId = await givenJob(world.database, 1);

      const waiting = get(`/${jobId}?wait=30`);
      await world.waitFor(() => world.waiting() > 0);
      await change(jobId, 0, 'completed');

      expect((await waiting).body.state).toBe('completed');
      expect((await get(`/${jobId}?wait=30`)).body.state).toBe('completed');
    });

    test('returns at once when the ETag is old', async () => {
      const jobId = await givenJob(world.database, 1);

      const answer = await get(`/${jobId}?wait=30`, 'W/"0-0"');

      expect(answer.status).toBe(200);
    });

    test('returns 304 at the end of the wait', async () => {
      const jobId = await givenJob(world.database, 1);
      const etag = (await get(`/${jobId}`)).headers.get('etag');

      const answer = await get(`/${jobId}?wait=1`, etag);

      expect(answer.status).toBe(304);
    });

    test.each(['0', '31', '1.5', 'x'])('rejects wait=%s', async (wait) => {
      const answer = await get(`/${randomUUID()}?wait=${wait}`);

      expect(answer.status).toBe(400);
      expect(answer.body.errors[0]).toMatchObject({ in: 'query', pointer: '#/wait' });
    });
  });

  describe('GET /export-jobs', () => {
    test('lists the jobs of the caller, newest first, page by page', async () => {
      const target = 'pages';
      const ids: string[] = [];
      for (let n = 0; n < 5; n += 1) {
        const acceptedAt = firstDay + Math.floor(n / 2); // two of a millisecond
        ids.push(await givenJob(world.database, 2, { acceptedAt, facts: { target } }));
      }
      await givenJob(world.database, 1, { caller: 'somebody else', facts: { target } });

      const first = await get(`?target=${target}&limit=2`);
      const second = await get(`?target=${target}&limit=2&cursor=${first.body.nextCursor}`);
      const third = await get(`?target=${target}&limit=2&cursor=${second.body.nextCursor}`);

      const found = [first, second, third].map(({ body }) => body.exportJobs);
      expect(found.map((page) => page.length)).toEqual([2, 2, 1]);
      expect(third.body.nextCursor).toBeUndefined();
      const jobs = found.flat();
      expect(jobs.map(({ id }) => id).sort()).toEqual(ids.sort());
      const accepted = jobs.map(({ acceptedAt }) => acceptedAt);
      expect(accepted).toEqual(accepted.toSorted().reverse());
      for (const job of jobs) {
        expect(job).toMatchObject({ target, state: 'waiting', sliceCounts: { waiting: 2 } });
      }
    });

    test('filters by state and name', async () => {
      const facts = { target: 'filters', name: 'müll & more' };
      const jobId = await givenJob(world.database, 1, { facts });
      const ended = await givenJob(world.database, 1, { facts });
      await givenJob(world.database, 1, { facts: { ...facts, name: 'other' } });
      await bringTo(world.database, ended, 0, 'completed');
      const idsOf = async (query: string) =>
        (await get(`?target=filters&${query}`)).body.exportJobs.map(({ id }: { id: string }) => id);

      const name = `name=${encodeURIComponent(facts.name)}`;
      expect(await idsOf(`${name}&state=waiting`)).toEqual([jobId]);
      expect(await idsOf(`${name}&state=completed`)).toEqual([ended]);
      expect(await idsOf('state=failed')).toEqual([]);
      expect(await idsOf('')).toHaveLength(3);
    });

    test.each([
      'x',
      '%F0%9F%92%A5',
      btoa('[]'),
      btoa('[1]'),
      btoa('["1","x"]'),
      btoa('[1.5,"x"]'),
      btoa('[1,2]'),
      btoa('[1e99,"x"]'),
      btoa('[1,"\\u0000"]'),
      btoa('{"0":1,"1":"x","length":2}'),
    ])('rejects the cursor %s', async (cursor) => {
      const answer = await get(`?cursor=${encodeURIComponent(decodeURIComponent(cursor))}`);

      expect(answer.status).toBe(400);
      expect(answer.body.errors).toEqual([
        {
          in: 'query',
          pointer: '#/cursor',
          detail: 'must be the unchanged nextCursor of an earlier answer',
        },
      ]);
    });
  });

  describe('GET /export-jobs/{jobId}/slices', () => {
    test('lists slices by number, each with its attempts', async () => {
      const { database } = world;
      const jobId = await givenJob(database, 5);
      const attempt = { jobId, slice: 1, target: 'default', destinationPrefix: 'x/1', fence: 1 };
      const times = {
        submittedAt: 1_000,
        taskCreatedAt: 2_000,
        taskCompletedAt: null,
        endedAt: 3_000,
      };
      const problem = JSON.stringify(sliceProblem('export-task-failed'));
      await database.queries
        .insertInto('attempts')
        .values([
          {
            ...attempt,
            ...times,
            attempt: 1,
            marker: randomUUID(),
            taskId: 't-1',
            outcome: 'failed',
            problem,
          },
          {
            ...attempt,
            ...times,
            attempt: 2,
            marker: randomUUID(),
            taskId: null,
            endedAt: null,
            taskCreatedAt: null,
            outcome: null,
            problem: null,
          },
        ])
        .execute();
      await bringTo(database, jobId, 3, 'failed', sliceProblem('export-task-failed'));

      const first = await get(`/${jobId}/slices?limit=3`);
      const rest = await get(`/${jobId}/slices?limit=3&cursor=${first.body.nextCursor}`);
      const failed = await get(`/${jobId}/slices?state=failed`);

      expect(first.body.slices.map(({ number }: { number: number }) => number)).toEqual([0, 1, 2]);
      expect(first.body.slices[1]).toEqual({
        number: 1,
        state: 'waiting',
        logGroupName: '/app',
        from: '2024-01-02T00:00:00.000Z',
        to: '2024-01-03T00:00:00.000Z',
        attempts: [
          {
            attempt: 1,
            destinationPrefix: 'x/1',
            taskId: 't-1',
            submittedAt: '1970-01-01T00:00:01.000Z',
            taskCreatedAt: '1970-01-01T00:00:02.000Z',
            endedAt: '1970-01-01T00:00:03.000Z',
            outcome: 'failed',
            problem: sliceProblem('export-task-failed'),
          },
          { attempt: 2, destinationPrefix: 'x/1', submittedAt: '1970-01-01T00:00:01.000Z' },
        ],
      });
      expect(rest.body.slices.map(({ number }: { number: number }) => number)).toEqual([3, 4]);
      expect(rest.body.nextCursor).toBeUndefined();
      expect(failed.body.slices).toMatchObject([
        { number: 3, problem: sliceProblem('export-task-failed'), attempts: [] },
      ]);
    });

    test('returns an empty list if no slice has the state', async () => {
      const jobId = await givenJob(world.database, 1);

      expect((await get(`/${jobId}/slices?state=failed`)).body).toEqual({ slices: [] });
    });

    test('returns the end of the list for a cursor beyond all numbers', async () => {
      const jobId = await givenJob(world.database, 1);

      const answer = await get(`/${jobId}/slices?cursor=${btoa(`[${2 ** 53 - 1}]`)}`);

      expect(answer.body).toEqual({ slices: [] });
    });
  });

  describe('POST /export-jobs/{jobId}/cancel', () => {
    test('cancels waiting slices once and at once, and releases waiting requests', async () => {
      const jobId = await givenJob(world.database, 3);
      const waiting = get(`/${jobId}?wait=30`);
      await world.waitFor(() => world.waiting() > 0);
      world.woken.length = 0;

      const first = await world.call('POST', `/export-jobs/${jobId}/cancel`);
      const second = await world.call('POST', `/export-jobs/${jobId}/cancel`, {});

      expect(first.status).toBe(202);
      expect(first.body).toMatchObject({ state: 'cancelled', sliceCounts: { cancelled: 3 } });
      expect(first.body.cancelRequestedAt).toBeDefined();
      expect(second.status).toBe(202);
      expect(second.body).toEqual(first.body);
      expect((await waiting).body).toEqual(first.body);
      expect(world.changed).toContain(jobId);
      expect(world.woken[0]).toBe('default');
    });

    test('leaves a running slice to AWS', async () => {
      const jobId = await givenJob(world.database, 2, { facts: { target: randomUUID() } });
      await bringTo(world.database, jobId, 0, 'running');

      const { body } = await world.call('POST', `/export-jobs/${jobId}/cancel`);

      expect(body).toMatchObject({
        state: 'cancelling',
        sliceCounts: { running: 1, cancelled: 1 },
      });
      expect(body.endedAt).toBeUndefined();
    });
  });

  describe('POST /export-jobs/{jobId}/retry', () => {
    test('puts failed slices back into the queue', async () => {
      const jobId = await givenJob(world.database, 2);
      await bringTo(world.database, jobId, 0, 'completed');
      await bringTo(world.database, jobId, 1, 'failed', sliceProblem('export-task-failed'));
      world.woken.length = 0;

      const first = await world.call('POST', `/export-jobs/${jobId}/retry`);
      const second = await world.call('POST', `/export-jobs/${jobId}/retry`);

      expect(first.status).toBe(202);
      expect(first.body).toMatchObject({
        retriedSlices: 1,
        exportJob: { id: jobId, state: 'running', sliceCounts: { waiting: 1, completed: 1 } },
      });
      expect(second.body).toMatchObject({ retriedSlices: 0, exportJob: { state: 'running' } });
      expect(world.woken[0]).toBe('default');
    });

    test('refuses a job after a cancel, which has no link', async () => {
      const jobId = await givenJob(world.database, 1);
      const cancelled = await world.call('POST', `/export-jobs/${jobId}/cancel`);

      const { status, body } = await world.call('POST', `/export-jobs/${jobId}/retry`);

      expect(cancelled.body.links).not.toHaveProperty('retry');

      expect(status).toBe(409);
      expect(body.type).toBe('/problems/export-job-cancelled');
    });

    test('refuses a job of an archive, which has no link, and changes nothing', async () => {
      const jobId = await jobOf('anonymous', world.database, { archiveId: randomUUID() });
      await bringTo(world.database, jobId, 0, 'failed', sliceProblem('export-task-failed'));

      const { status, body } = await world.call('POST', `/export-jobs/${jobId}/retry`);

      expect(status).toBe(409);
      expect(body.type).toBe('/problems/export-job-of-archive');
      const { sliceCounts, links } = (await get(`/${jobId}`)).body;
      expect(sliceCounts).toMatchObject({ failed: 1, waiting: 0 });
      expect(links).not.toHaveProperty('retry');
    });
  });
});

test('stops the service without waiting for long polls', async () => {
  await using world = await openWorld({ jobs: {} });
  const jobId = await givenJob(world.database, 1);
  const waiting = world.call('GET', `/export-jobs/${jobId}?wait=30`);
  await world.waitFor(() => world.waiting() > 0);

  await world.app.close();

  expect((await waiting).status).toBe(200);
});
