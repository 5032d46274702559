import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { readEvents } from '#export-jobs/store/reads/read-events.ts';
import { as } from '../../access.ts';
import { openWorld, type World } from '../../world.ts';
import { bringTo, jobBody, sliceProblem } from '../accepted-jobs.ts';
import { policiesOf } from '../jobs-of-callers.ts';
import { dayMs, purgeOnce, start } from '../retention/ended-jobs.ts';
import { storageBackends } from '../storage-backends.ts';

/** Every operation on a job. */
const routes: [method: string, path: string][] = [
  ['GET', ''],
  ['GET', '/slices'],
  ['GET', '/objects'],
  ['GET', '/events'],
  ['POST', '/cancel'],
  ['POST', '/retry'],
];

describe.each(storageBackends)('a deleted job, on %s', (_name, openStorage) => {
  const clock = { now: start };
  let world: World;
  let key: string;
  beforeAll(async () => {
    world = await openWorld({
      jobs: { ...(await openStorage()), clock: () => clock.now },
      access: policiesOf(() => true).access,
    });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => {
    key = randomUUID();
  });

  const create = (name = 'ann', body = jobBody) =>
    world.call('POST', '/export-jobs', body, { ...as(name), 'idempotency-key': key });
  const call = (name: string, method: string, path: string) =>
    world.call(method, `/export-jobs/${path}`, undefined, as(name));
  const end = async (jobId: string) => {
    for (const slice of [0, 1, 2]) {
      await bringTo(world.database, jobId, slice, 'failed', sliceProblem('export-task-failed'));
    }
  };
  /** Accepts a job, ends it, and deletes it. Returns its id. */
  async function deletedJob(): Promise<string> {
    const { body } = await create();
    await end(body.id);
    clock.now += 91 * dayMs;
    await purgeOnce(world.database);
    return body.id;
  }
  const instant = () => new Date(clock.now).toISOString();

  test.each(routes)('%s %s: returns 410 export-job-deleted to its caller', async (method, path) => {
    const jobId = await deletedJob();

    const { status, body } = await call('ann', method, `${jobId}${path}`);

    expect(status).toBe(410);
    expect(body).toMatchObject({
      type: '/problems/export-job-deleted',
      detail: `This job was deleted at ${instant()}.`,
      isRetryable: false,
    });
  });

  test.each(routes)(
    '%s %s: answers for a deleted job of another caller as for one that does not exist',
    async (method, path) => {
      const deleted = await call('bob', method, `${await deletedJob()}${path}`);
      const unknown = await call('bob', method, `${randomUUID()}${path}`);

      expect(deleted.status).toBe(404);
      expect({ ...deleted.body, instance: '' }).toEqual({ ...unknown.body, instance: '' });
    },
  );

  test('a deleted job is named by its Idempotency-Key for seven days, then the key is new', async () => {
    const jobId = await deletedJob();

    const repeated = await create();
    const another = await create('bob');
    const reused = await create('ann', { ...jobBody, name: 'another' });
    clock.now += 7 * dayMs;
    await purgeOnce(world.database); // the rows
    await purgeOnce(world.database); // the key
    const late = await create();

    expect(repeated.status).toBe(410);
    expect(repeated.body.type).toBe('/problems/export-job-deleted');
    expect(another.status).toBe(202);
    expect(reused.body.type).toBe('/problems/idempotency-key-reused');
    expect(late.status).toBe(202);
    expect(late.body.id).not.toBe(jobId);
  });

  test('a deleted job is not in the list, although its rows are still there', async () => {
    const jobId = await deletedJob();

    const list = await world.call('GET', '/export-jobs?limit=100', undefined, as('ann'));

    expect(list.status).toBe(200);
    expect(list.body.exportJobs.map(({ id }: { id: string }) => id)).not.toContain(jobId);
  });

  test('has no events, although their rows are still there', async () => {
    const jobId = await deletedJob();
    const { queries } = world.database;

    const rows = await queries
      .selectFrom('events')
      .select('at')
      .where('jobId', '=', jobId)
      .execute();

    expect(rows).toHaveLength(4);
    expect(await readEvents(queries, jobId, 0)).toEqual([]);
  });

  test('ends the streams that wait for it', async () => {
    const { body } = await create();
    const stream = await fetch(`${world.url}/export-jobs/${body.id}/events`, {
      headers: as('ann'),
    });
    await world.waitFor(() => world.waiting() === 1);

    await world.database.transaction(async (inside) => {
      await inside
        .insertInto('deletedJobs')
        .values({ id: body.id, caller: 'test#ann', deletedAt: clock.now, rest: 'rows' })
        .execute();
      await inside.deleteFrom('jobs').where('id', '=', body.id).execute();
    });
    world.jobChanged(body.id);

    expect(await stream.text()).not.toContain('job-ended');
    expect(world.log.filter(({ jobId }) => jobId === body.id)).toMatchObject([
      { problem: 'export-job-deleted' },
    ]);
  });

  test('returns 200 or 410, and nothing else, to requests during its deletion', async () => {
    const { body } = await create();
    await end(body.id);
    clock.now += 91 * dayMs;
    const statuses = new Set([(await call('ann', 'GET', body.id)).status]);
    const isOver = new AbortController();
    const readers = Array.from({ length: 4 }, async () => {
      while (!isOver.signal.aborted) {
        statuses.add((await call('ann', 'GET', body.id)).status);
        const list = await world.call('GET', '/export-jobs', undefined, as('ann'));
        if (list.status !== 200) statuses.add(list.status);
      }
    });

    await purgeOnce(world.database);
    await call('ann', 'GET', body.id);
    isOver.abort();
    await Promise.all(readers);

    expect(statuses).toEqual(new Set([200, 410]));
  });
});
