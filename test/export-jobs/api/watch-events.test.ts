import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';

import { maxStreamMs } from '#export-jobs/operations/stream-events.ts';
import { recordChange } from '#export-jobs/store/record-change.ts';
import { Problem } from '#problems/problem.ts';
import { as, principalOf } from '../../access.ts';
import { makeManualClock } from '../../aws/call-budget/manual-clock.ts';
import { openWorld, type World } from '../../world.ts';
import { bringTo } from '../accepted-jobs.ts';
import { testAuditContext } from '../caller-requests.ts';
import { insertJob } from '../insert-rows.ts';
import { jobOf, policiesOf } from '../jobs-of-callers.ts';
import { storageBackends } from '../storage-backends.ts';
import { openEventStream, openUnreadStream } from './event-stream-client.ts';

/** Ends the only slice of a job, as the dispatcher would. */
async function complete({ database, jobChanged }: World, jobId: string): Promise<void> {
  await bringTo(database, jobId, 0, 'completed');
  jobChanged(jobId);
}

/** Inserts a job with more events than the buffers of a connection hold. */
async function insertManyEvents({ database }: World): Promise<string> {
  const jobId = await insertJob(database);
  const problem = 'p'.repeat(20_000);
  await database.transaction(async (queries) => {
    for (let more = 0; more < 1_000; more += 1) {
      const change = { type: 'slice-failed', slice: 0, attempt: 1, problem } as const;
      await recordChange(queries, database, jobId, change, testAuditContext);
    }
  });
  return jobId;
}

const isRequestLine = (queue: Record<string, unknown>) =>
  queue.route === '/export-jobs/:jobId/events' && queue.msg === 'request';

describe.each(storageBackends)('GET /export-jobs/{jobId}/events on %s', (_name, openStorage) => {
  test('sends all past events, each new one, and the end', async () => {
    await using world = await openWorld({ jobs: await openStorage() });
    const jobId = await insertJob(world.database);
    await bringTo(world.database, jobId, 0, 'running');

    using stream = await openEventStream(world.url, `/export-jobs/${jobId}/events`);
    await world.waitFor(() => stream.messages.length === 2);
    await complete(world, jobId);
    await stream.over;

    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(stream.response.headers).toMatchObject({
      'content-type': expect.stringMatching(/^text\/event-stream/),
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-request-id': expect.any(String),
    });
    expect(stream.messages).toEqual([
      { id: 1, event: 'job-accepted', data: { jobId, at, slices: 1 } },
      { id: 2, event: 'slice-running', data: { jobId, at, slice: 0, attempt: 1 } },
      { id: 3, event: 'slice-completed', data: { jobId, at, slice: 0, attempt: 1 } },
      { id: 3, event: 'job-ended', data: { jobId, at, state: 'completed' } },
    ]);
    expect(stream.isComplete()).toBe(true);
    expect(stream.text()).toMatch(/^retry: \d+\n\n/);
  });

  test('continues after Last-Event-ID, from the header or else the query', async () => {
    await using world = await openWorld({ jobs: await openStorage() });
    const jobId = await insertJob(world.database);
    for (const state of ['running', 'waiting', 'completed'] as const) {
      await bringTo(world.database, jobId, 0, state);
    }
    const path = `/export-jobs/${jobId}/events`;

    using byHeader = await openEventStream(world.url, path, { 'last-event-id': '3' });
    using byQuery = await openEventStream(world.url, `${path}?lastEventId=2`);
    using byBoth = await openEventStream(world.url, `${path}?lastEventId=0`, {
      'last-event-id': '3',
    });
    await Promise.all([byHeader.over, byQuery.over, byBoth.over]);

    const ids = [byHeader, byQuery, byBoth].map(({ messages }) => messages.map(({ id }) => id));
    expect(ids).toEqual([
      [4, 4],
      [3, 4, 4],
      [4, 4],
    ]);
  });

  test('returns 204 after the last event, until there is a new one', async () => {
    await using world = await openWorld({ jobs: await openStorage() });
    const jobId = await insertJob(world.database);
    await complete(world, jobId);
    const path = `/export-jobs/${jobId}/events`;

    const known = await world.call('GET', path, undefined, { 'last-event-id': '2' });
    await bringTo(world.database, jobId, 0, 'waiting');
    using again = await openEventStream(world.url, path, { 'last-event-id': '2' });
    await world.waitFor(() => again.messages.length === 1);

    expect([known.status, known.text]).toEqual([204, '']);
    expect(again.messages[0]).toMatchObject({ id: 3, event: 'slice-waiting' });
  });

  test('sends thousands of events once and in order, to slow and fast readers', async () => {
    await using world = await openWorld({ jobs: await openStorage() });
    const jobId = await insertJob(world.database);
    const { database } = world;
    await database.transaction(async (queries) => {
      for (let more = 0; more < 1_700; more += 1) {
        await recordChange(
          queries,
          database,
          jobId,
          { type: 'slices-retried', slices: more },
          testAuditContext,
        );
      }
    });
    await complete(world, jobId);

    using stream = await openEventStream(world.url, `/export-jobs/${jobId}/events`);
    stream.response.pause();
    await new Promise(setImmediate);
    stream.response.resume();
    await stream.over;

    const expected = Array.from({ length: 1_702 }, (_, index) => index + 1);
    expect(stream.messages.map(({ id }) => id)).toEqual([...expected, 1_702]);
  });
});

describe('GET /export-jobs/{jobId}/events', () => {
  test('sends the time at which a slice is ready again as readyAt', async () => {
    const clock = () => Date.UTC(2024, 4, 2);
    await using world = await openWorld({ jobs: { clock } });
    const { database } = world;
    const jobId = await insertJob(database);
    const change = {
      type: 'slice-waiting',
      slice: 0,
      attempt: 1,
      readyInMs: 60_000,
      problem: 'aws-unavailable',
    } as const;
    await database.transaction((queries) =>
      recordChange(queries, database, jobId, change, testAuditContext),
    );

    using stream = await openEventStream(world.url, `/export-jobs/${jobId}/events?lastEventId=1`);
    await world.waitFor(() => stream.messages.length === 1);

    expect(stream.messages[0]?.data).toMatchObject({
      readyAt: '2024-05-02T00:01:00.000Z',
      problem: 'aws-unavailable',
    });
  });

  test('returns 404 for a job that does not exist', async () => {
    await using world = await openWorld({ jobs: {} });

    const { status, body } = await world.call('GET', '/export-jobs/nowhere/events');

    expect([status, body.type]).toEqual([404, '/problems/export-job-not-found']);
  });

  test('ends before the next event when the policies no longer permit it', async () => {
    let asked = 0;
    const policies = policiesOf(() => ++asked > 0);
    await using world = await openWorld({ jobs: {}, access: policies.access });
    const jobId = await jobOf('ann', world.database, { days: 3 });
    using stream = await openEventStream(world.url, `/export-jobs/${jobId}/events`, as('bob'));
    await world.waitFor(() => stream.messages.length === 1);
    await bringTo(world.database, jobId, 0, 'completed');
    world.jobChanged(jobId);
    await world.waitFor(() => stream.messages.length === 2);
    const askedOfOnePolicy = asked;

    policies.change(() => false);
    await bringTo(world.database, jobId, 1, 'completed');
    world.jobChanged(jobId);
    await stream.over;

    expect(askedOfOnePolicy).toBe(1);
    expect(stream.messages.map(({ id }) => id)).toEqual([1, 2]);
    const again = await world.call('GET', `/export-jobs/${jobId}/events`, undefined, as('bob'));
    expect(again.status).toBe(404);
  });

  test.for(['x', '-1', '1.5', '', '9'.repeat(16)])('rejects Last-Event-ID "%s"', async (id) => {
    await using world = await openWorld({ jobs: {} });
    const jobId = await insertJob(world.database);
    const path = `/export-jobs/${jobId}/events`;

    const byHeader = await world.call('GET', path, undefined, { 'last-event-id': id });
    const byQuery = await world.call('GET', `${path}?lastEventId=${id}`);

    for (const { status, body } of [byHeader, byQuery]) {
      expect([status, body.type]).toEqual([400, '/problems/invalid-request']);
    }
    expect(byHeader.body.errors[0].in).toBe('header');
  });

  test('returns 406 to clients that do not accept event streams', async () => {
    await using world = await openWorld({ jobs: {} });
    const jobId = await insertJob(world.database);
    const path = `/export-jobs/${jobId}/events`;

    using stream = await openEventStream(world.url, path, { accept: 'text/event-stream' });
    const refused = await world.call('GET', path, undefined, { accept: 'image/png' });

    expect(stream.response.statusCode).toBe(200);
    expect([refused.status, refused.body.type]).toEqual([406, '/problems/not-acceptable']);
  });

  test('answers HEAD at once without an open stream', async () => {
    await using world = await openWorld({ jobs: { maxStreams: 1 } });
    const jobId = await insertJob(world.database);
    const path = `/export-jobs/${jobId}/events`;

    const { status, headers } = await world.call('HEAD', path);
    using stream = await openEventStream(world.url, path);

    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(stream.response.statusCode).toBe(200);
  });

  test('stays open beyond the timeout of other operations', async () => {
    await using world = await openWorld({ jobs: {}, limits: { handlerMs: 50 } });
    const jobId = await insertJob(world.database);

    using stream = await openEventStream(world.url, `/export-jobs/${jobId}/events`);
    world.emulator.faults.add({ operation: 'DescribeExportTasks', kind: 'silence-before' });
    const other = await world.call('GET', '/export-tasks'); // which runs into the limit
    await complete(world, jobId);
    await stream.over;

    expect(other.status).toBe(504);
    expect(stream.isComplete()).toBe(true);
    expect(stream.messages.at(-1)).toMatchObject({ event: 'job-ended' });
  });

  test('ends completely at once when the service closes', async () => {
    const world = await openWorld({ jobs: {} });
    const jobId = await insertJob(world.database);
    const path = `/export-jobs/${jobId}/events`;
    const streams = await Promise.all(
      Array.from({ length: 50 }, () => openEventStream(world.url, path)),
    );
    await world.waitFor(() => streams.every(({ messages }) => messages.length === 1));

    await world[Symbol.asyncDispose]();
    await Promise.all(streams.map(({ over }) => over));

    expect(streams.every((stream) => stream.isComplete())).toBe(true);
  });

  test('does not delay the shutdown for a reader that does not read', async () => {
    const world = await openWorld({ jobs: {} });
    const { database } = world;
    const jobId = await insertJob(database);
    const problem = 'p'.repeat(50_000);
    await database.transaction(async (queries) => {
      for (let more = 0; more < 400; more += 1) {
        const change = { type: 'slice-failed', slice: 0, attempt: 1, problem } as const;
        await recordChange(queries, database, jobId, change, testAuditContext);
      }
    });
    let response: ServerResponse | undefined;
    world.app.server.once('request', (_request, answer) => {
      response = answer;
    });
    const socket = await openUnreadStream(world.port, `/export-jobs/${jobId}/events`);
    await world.waitFor(() => response?.writableNeedDrain === true);

    await world[Symbol.asyncDispose]();

    expect(response?.destroyed).toBe(true);
    socket.destroy();
  });

  test('frees everything when its reader leaves, and logs the request', async () => {
    await using world = await openWorld({ jobs: { maxStreams: 1 } });
    const jobId = await insertJob(world.database);
    const path = `/export-jobs/${jobId}/events`;
    {
      using stream = await openEventStream(world.url, path);
      await world.waitFor(() => stream.messages.length === 1);
    }
    await world.waitFor(() => world.log.some(isRequestLine));

    using again = await openEventStream(world.url, path);

    expect(again.response.statusCode).toBe(200);
    expect(world.log.filter(isRequestLine)).toEqual([
      expect.objectContaining({ status: 200, isAborted: true }),
    ]);
  });

  test('rejects streams above the limit with Retry-After', async () => {
    await using world = await openWorld({ jobs: { maxStreams: 2 } });
    const jobId = await insertJob(world.database);
    const path = `/export-jobs/${jobId}/events`;
    using _one = await openEventStream(world.url, path);
    using _other = await openEventStream(world.url, path);

    const refused = await world.call('GET', path);

    expect([refused.status, refused.body.type]).toEqual([503, '/problems/too-many-streams']);
    expect(refused.headers.get('retry-after')).toBe('5');
  });

  test('ends when the database fails, so that its reader reconnects where it was', async () => {
    await using world = await openWorld({ jobs: {} });
    const jobId = await insertJob(world.database);
    using stream = await openEventStream(world.url, `/export-jobs/${jobId}/events`);
    await world.waitFor(() => stream.messages.length === 1);

    await world.database.queries.schema.alterTable('events').renameTo('eventsElsewhere').execute();
    await complete(world, jobId).catch(() => {});
    await world.database.queries.updateTable('jobs').set({ version: 2 }).execute();
    world.jobChanged(jobId);
    await stream.over;

    expect(stream.isComplete()).toBe(true);
    expect(stream.messages).toHaveLength(1);
    expect(world.log).toContainEqual(expect.objectContaining({ level: 'warn', jobId }));
  });

  test('limits the streams of each caller separately', async () => {
    const { access } = policiesOf(() => true);
    await using world = await openWorld({ jobs: { maxWatchers: 2 }, access });
    const jobId = await insertJob(world.database);
    const path = `/export-jobs/${jobId}/events`;
    const stream = await openEventStream(world.url, path, as('ann'));
    using _other = await openEventStream(world.url, path, as('ann'));

    const refused = await world.call('GET', path, undefined, as('ann'));
    using ofBob = await openEventStream(world.url, path, as('bob'));
    stream[Symbol.dispose]();
    await world.waitFor(() => world.log.some(isRequestLine));
    using again = await openEventStream(world.url, path, as('ann'));

    expect([refused.status, refused.body.type]).toEqual([429, '/problems/too-many-watchers']);
    expect(refused.headers.get('retry-after')).toBe('5');
    expect([ofBob, again].map(({ response }) => response.statusCode)).toEqual([200, 200]);
  });

  test('ends before the next event when its credential is no longer valid', async () => {
    const { access } = policiesOf(() => true);
    let isWithdrawn = false;
    await using world = await openWorld({
      jobs: {},
      access(audit) {
        const { authenticate, ...rest } = access(audit);
        const refusal = new Problem('unauthenticated', 'Withdrawn.', { challenges: ['Test'] });
        return {
          ...rest,
          authenticate(request) {
            if (isWithdrawn) throw refusal;
            return authenticate(request);
          },
        };
      },
    });
    const jobId = await insertJob(world.database);
    using stream = await openEventStream(world.url, `/export-jobs/${jobId}/events`, as('ann'));
    await world.waitFor(() => stream.messages.length === 1);

    isWithdrawn = true;
    await complete(world, jobId);
    await stream.over;

    expect(stream.isComplete()).toBe(true);
    expect(stream.messages.map(({ id }) => id)).toEqual([1]);
    expect(world.log).toContainEqual(
      expect.objectContaining({ level: 'info', jobId, problem: 'unauthenticated' }),
    );
  });

  test('is authorized again when the groups of its caller change', async () => {
    const bob = { ...principalOf('bob'), groups: ['readers'] };
    let principal = bob;
    const { access } = policiesOf((who) => who.groups.includes('readers'));
    await using world = await openWorld({
      jobs: {},
      access: (audit) => ({ ...access(audit), authenticate: () => principal }),
    });
    const jobId = await insertJob(world.database);
    using stream = await openEventStream(world.url, `/export-jobs/${jobId}/events`);
    await world.waitFor(() => stream.messages.length === 1);

    principal = { ...bob, groups: [] };
    await complete(world, jobId);
    await stream.over;

    expect(stream.messages.map(({ id }) => id)).toEqual([1]);
  });

  test('holds few bytes for a reader that does not read, and ends in time', async () => {
    await using world = await openWorld({ jobs: {} });
    const jobId = await insertManyEvents(world);
    let response: ServerResponse | undefined;
    world.app.server.once('request', (_request, answer) => {
      response = answer;
    });
    const socket = await openUnreadStream(world.port, `/export-jobs/${jobId}/events`);
    await world.waitFor(() => response?.writableNeedDrain === true);

    const page = 100 * 20_200; // of events far larger than real ones
    expect(response?.writableLength).toBeLessThan(2 * page);
    expect(response?.socket).toMatchObject({ timeout: 35_000 });
    response?.socket?.emit('timeout'); // as Node does when no byte is read for that long
    await world.waitFor(() => world.log.some(isRequestLine));

    expect(response?.destroyed).toBe(true);
    socket.destroy();
  });
});

describe('an event stream at its maximum age', () => {
  const minuteMs = 60_000;

  /** Catches the response of the next request. */
  function nextResponse(world: World): { current?: ServerResponse } {
    const caught: { current?: ServerResponse } = {};
    world.app.server.once('request', (_request, response) => {
      caught.current = response;
    });
    return caught;
  }

  test.each([
    ['of the API', '/export-jobs'],
    ['of a page', '/ui/jobs'],
  ])('%s ends although nobody reads it and its heartbeats are sent', async (_what, jobs) => {
    const clock = makeManualClock();
    await using world = await openWorld({ jobs: { maxStreams: 1, sleep: clock.sleep } });
    const path = `${jobs}/${await insertJob(world.database)}/events`;
    const response = nextResponse(world);
    const socket = await openUnreadStream(world.port, path);
    await world.waitFor(() => world.waiting() === 1);
    const sentBefore = response.current?.socket?.bytesWritten ?? 0;

    await clock.advance(minuteMs); // with heartbeats
    await clock.jump(43 * minuteMs);
    await world.waitFor(() => (response.current?.socket?.bytesWritten ?? 0) > sentBefore);
    const refused = await world.call('GET', path);
    await clock.jump(16 * minuteMs);
    await world.waitFor(() => response.current?.closed === true);
    using next = await openEventStream(world.url, path);

    expect(refused.body.type).toBe('/problems/too-many-streams');
    expect(response.current?.writableFinished).toBe(true);
    expect(next.response.statusCode).toBe(200);
    socket.destroy();
  });

  test('ends whole, and its reader gets each event once with Last-Event-ID', async () => {
    const clock = makeManualClock();
    await using world = await openWorld({ jobs: { sleep: clock.sleep } });
    const jobId = await insertJob(world.database);
    const path = `/export-jobs/${jobId}/events`;
    using stream = await openEventStream(world.url, path);
    await world.waitFor(() => world.waiting() === 1);

    await clock.jump(maxStreamMs);
    await stream.over;
    await complete(world, jobId);
    using next = await openEventStream(world.url, path, { 'last-event-id': '1' });
    await next.over;

    expect(stream.isComplete()).toBe(true);
    expect(stream.messages.map(({ event }) => event)).toEqual(['job-accepted']);
    expect(next.messages.map(({ event }) => event)).toEqual(['slice-completed', 'job-ended']);
  });

  test('is closed if its reader does not take what is being sent', async () => {
    const clock = makeManualClock();
    await using world = await openWorld({ jobs: { sleep: clock.sleep } });
    const jobId = await insertManyEvents(world);
    const response = nextResponse(world);
    const socket = await openUnreadStream(world.port, `/export-jobs/${jobId}/events`);
    await world.waitFor(() => response.current?.writableNeedDrain === true);

    await clock.jump(maxStreamMs);
    const wasClosed = response.current?.closed;
    await clock.jump(35_000);
    await world.waitFor(() => response.current?.closed === true);

    expect(wasClosed).toBe(false);
    socket.destroy();
  });

  test('ends at another time than others', async () => {
    const clock = makeManualClock();
    await using world = await openWorld({ jobs: { sleep: clock.sleep } });
    const path = `/export-jobs/${await insertJob(world.database)}/events`;
    const streams = await Promise.all(
      Array.from({ length: 40 }, () => openEventStream(world.url, path)),
    );
    await world.waitFor(() => world.waiting() === 40);
    const ended = () => streams.filter((stream) => stream.isComplete()).length;

    await clock.jump(52 * minuteMs);
    await world.waitFor(() => ended() + world.waiting() === 40);
    const endedEarly = ended();
    await clock.jump(8 * minuteMs);
    await Promise.all(streams.map(({ over }) => over));

    expect(endedEarly).toBeGreaterThan(0);
    expect(endedEarly).toBeLessThan(40);
    expect(ended()).toBe(40);
  });
});
