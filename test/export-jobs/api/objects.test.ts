import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { as } from '../../access.ts';
import { createBody, openWorld, region, type World } from '../../world.ts';
import { bringTo, givenJob } from '../accepted-jobs.ts';
import { insertAttempt, insertVerification } from '../insert-rows.ts';
import { policiesOf } from '../jobs-of-callers.ts';
import { storageBackends } from '../storage-backends.ts';

const streams = ['a', 'b/c', 'büro +1 %20', 'z'];
const { from, to } = createBody;

describe.each(storageBackends)('GET /export-jobs/{jobId}/objects, on %s', (_name, openStorage) => {
  let world: World;
  let jobId: string;
  beforeAll(async () => {
    world = await openWorld({
      jobs: await openStorage(),
      access: policiesOf(({ subject }) => subject === 'ann').access,
    });
    for (const logStreamName of streams) {
      const events = [{ timestamp: from, message: 'an event' }];
      world.emulator.seed.logEvents({ region, logGroupName: '/app', logStreamName, events });
    }
    jobId = await givenJob(world.database, 5, { caller: 'test#ann' });
    await complete(0, await exportTo('jobs/0'));
    await complete(1, await exportTo('jobs/1'));
    await insertVerification(world.database, { jobId, slice: 1, isEmpty: 1, endedAt: 1 });
    await complete(3, await exportTo('jobs/3'));
    await bringTo(world.database, jobId, 4, 'failed');
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** Exports the events, and returns the id of the task. */
  async function exportTo(destinationPrefix: string): Promise<string> {
    const body = { logGroupName: '/app', from, to, destination: 'archive', destinationPrefix };
    const { taskId } = (await world.call('POST', '/export-tasks', body, as('ann'))).body;
    await world.waitFor(() =>
      world.emulator.exportTasks().every(({ status }) => status === 'COMPLETED'),
    );
    return taskId;
  }

  async function complete(slice: number, taskId: string): Promise<void> {
    const destinationPrefix = `jobs/${slice}`;
    await insertAttempt(world.database, {
      jobId,
      slice,
      taskId,
      submittedAt: 1,
      destinationPrefix,
    });
    await bringTo(world.database, jobId, slice, 'completed');
  }

  const list = (query = '', name = 'ann') =>
    world.call('GET', `/export-jobs/${jobId}/objects${query}`, undefined, as(name));

  test.each([1, 3, 4, 1_000])('lists the objects slice by slice, %i a page', async (limit) => {
    const found: { slice: number; key: string }[] = [];
    const sizes: number[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const { status, body } = await list(`?limit=${limit}${cursor && `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      found.push(...body.objects);
      sizes.push(body.objects.length);
      cursor = body.nextCursor;
    }

    const tasks = world.emulator.exportTasks();
    const keysOf = (slice: number) => {
      const task = tasks.find(({ destinationPrefix }) => destinationPrefix === `jobs/${slice}`);
      const folders = streams.map((name) => name.replaceAll('/', '-'));
      return folders.map((name) => `jobs/${slice}/${task?.taskId}/${name}/000000.gz`);
    };
    expect(found.map(({ slice, key }) => [slice, key])).toEqual(
      [0, 3].flatMap((slice) => keysOf(slice).map((key) => [slice, key])),
    );
    expect(found[0]).toMatchObject({
      attempt: 1,
      size: expect.any(Number),
      etag: expect.stringMatching(/^[0-9a-f]{32}$/),
      lastModified: expect.stringMatching(/Z$/),
    });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(limit);
  });

  test('costs one call to S3', async () => {
    const before = world.calls('ListObjectsV2').length;

    await list();

    expect(world.calls('ListObjectsV2')).toHaveLength(before + 1);
  });

  test('rejects another caller like a job that does not exist', async () => {
    const { status, body } = await list('', 'bob');

    expect([status, body.type]).toEqual([404, '/problems/export-job-not-found']);
  });

  test.each(['?cursor=x', '?limit=0', '?limit=1001', '?slice=1'])('rejects %s', async (query) => {
    const { status, body } = await list(query);

    expect([status, body.type]).toEqual([400, '/problems/invalid-request']);
  });

  test('returns nothing for a job without a completed slice', async () => {
    const waiting = await givenJob(world.database, 2, { caller: 'test#ann' });

    const { body } = await world.call(
      'GET',
      `/export-jobs/${waiting}/objects`,
      undefined,
      as('ann'),
    );

    expect(body).toEqual({ objects: [] });
  });

  test('says that the role may not list the bucket', async () => {
    world.emulator.options.change({ deniedActions: { '*': ['s3:ListBucket'] } });

    const { status, body } = await list();

    world.emulator.options.change({ deniedActions: null });
    expect([status, body.type]).toEqual([403, '/problems/service-role-not-permitted']);
  });
});
