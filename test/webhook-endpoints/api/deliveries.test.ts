import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { storageBackends } from '../../export-jobs/storage-backends.ts';
import { openWorld, type World } from '../../world.ts';
import { givenDelivery, givenEndpoint } from '../given-endpoint.ts';

const day = (number: number) => Date.UTC(2024, 4, number);

describe.each(storageBackends)(
  'the deliveries of a webhook endpoint on %s',
  (_name, openStorage) => {
    let world: World;
    let id: string;
    let other: string;
    beforeAll(async () => {
      world = await openWorld({ jobs: await openStorage() });
    });
    afterAll(() => world[Symbol.asyncDispose]());
    beforeEach(async () => {
      const { queries } = world.database;
      for (const table of ['webhookEndpoints', 'deliveries', 'notificationEvents'] as const)
        await queries.deleteFrom(table).execute();
      id = await givenEndpoint(world.database);
      other = await givenEndpoint(world.database);
      world.woken.length = 0;
    });

    const call = (method: string, path: string, body?: unknown, endpointId = id) =>
      world.call(method, `/webhook-endpoints/${endpointId}${path}`, body);
    const idsOf = ({ body }: Awaited<ReturnType<typeof call>>) =>
      body.deliveries.map(({ eventId }: { eventId: string }) => eventId);
    const pending = () =>
      world.database.queries
        .selectFrom('deliveries')
        .select('eventId')
        .where('state', '=', 'pending')
        .execute()
        .then((rows) => rows.map(({ eventId }) => eventId));

    describe('GET …/deliveries', () => {
      test('returns the state and the result of each, newest event first', async () => {
        const failed = await givenDelivery(world.database, { destination: id, at: day(4) });
        const sent = await givenDelivery(world.database, {
          destination: id,
          at: day(6),
          type: 'archive.lost',
          jobId: null,
          archiveId: 'an-archive',
          state: 'delivered',
          status: 204,
          error: null,
          tries: 1,
        });
        const waiting = await givenDelivery(world.database, {
          destination: id,
          at: day(5),
          state: 'pending',
          dueAt: day(7),
          tries: 0,
          triedAt: null,
          status: null,
          error: null,
          endedAt: null,
        });
        await givenDelivery(world.database, { destination: other });

        const { body } = await call('GET', '/deliveries');

        const facts = { type: 'export_job.failed', jobId: 'a-job', version: 7 };
        expect(body).toEqual({
          deliveries: [
            {
              eventId: sent,
              type: 'archive.lost',
              at: '2024-05-06T00:00:00.000Z',
              archiveId: 'an-archive',
              version: 7,
              state: 'delivered',
              tries: 1,
              triedAt: '2024-05-06T00:00:01.000Z',
              status: 204,
              endedAt: '2024-05-06T00:00:02.000Z',
            },
            {
              eventId: waiting,
              ...facts,
              at: '2024-05-05T00:00:00.000Z',
              state: 'pending',
              tries: 0,
              dueAt: '2024-05-07T00:00:00.000Z',
            },
            {
              eventId: failed,
              ...facts,
              at: '2024-05-04T00:00:00.000Z',
              state: 'failed',
              tries: 10,
              triedAt: '2024-05-04T00:00:01.000Z',
              status: 503,
              error: 'status 503',
              endedAt: '2024-05-04T00:00:02.000Z',
            },
          ],
        });
      });

      test('has pages, and a filter by state', async () => {
        const ids: string[] = [];
        for (const at of [day(1), day(1), day(2)])
          ids.push(await givenDelivery(world.database, { destination: id, at }));
        await givenDelivery(world.database, { destination: id, state: 'delivered', at: day(3) });

        const first = await call('GET', '/deliveries?state=failed&limit=2');
        const { nextCursor } = first.body;
        const second = await call('GET', `/deliveries?state=failed&limit=2&cursor=${nextCursor}`);

        expect([...idsOf(first), ...idsOf(second)].sort()).toEqual(ids.sort());
        expect(idsOf(second)).toHaveLength(1);
        expect(second.body).not.toHaveProperty('nextCursor');
      });

      test.each(['cursor=x', 'state=sent', 'limit=0'])('rejects %s', async (query) => {
        expect((await call('GET', `/deliveries?${query}`)).status).toBe(400);
      });
    });

    describe('POST …/test', () => {
      test('puts an event for this endpoint alone into the outbox, and wakes the deliveries', async () => {
        const { status, body } = await call('POST', '/test');

        expect(status).toBe(202);
        expect(body).toEqual({ eventId: expect.stringMatching(/^msg_[\da-f-]{36}$/) });
        const events = await world.database.queries
          .selectFrom('notificationEvents')
          .selectAll()
          .execute();
        expect(events).toEqual([
          {
            id: body.eventId,
            at: expect.any(Number),
            type: 'webhook.test',
            caller: 'anonymous',
            target: null,
            endpointId: id,
            jobId: null,
            archiveId: null,
            version: 1,
            data: JSON.stringify({ endpointId: id, url: `/webhook-endpoints/${id}` }),
          },
        ]);
        expect(world.woken).toEqual(['webhooks']);
      });
    });

    test('POST …/test is refused while a hundred tests of the endpoint are pending', async () => {
      const type = 'webhook.test';
      await givenDelivery(world.database, { destination: id, state: 'delivered', type });
      await givenDelivery(world.database, { destination: other, type });
      for (let number = 0; number < 80; number += 1)
        await givenDelivery(world.database, { destination: id, state: 'pending', type });
      for (let number = 0; number < 100; number += 1)
        await givenDelivery(world.database, { destination: id, state: 'pending' }); // others do not count

      const answers = await Promise.all(Array.from({ length: 30 }, () => call('POST', '/test')));

      const refused = answers.filter(({ status }) => status !== 202);
      expect(refused).toHaveLength(10);
      for (const { status, body } of refused)
        expect([status, body.type]).toEqual([429, '/problems/rate-limited']);
      expect((await call('POST', '/test', undefined, other)).status).toBe(202);
    });

    describe('POST …/deliveries/{eventId}/replay', () => {
      test.each(['failed', 'delivered', 'pending'] as const)(
        'makes a delivery that is %s due at once, with all tries',
        async (state) => {
          const given = { destination: id, state, owner: 'a process', leasedUntil: day(30) };
          const eventId = await givenDelivery(world.database, { ...given, dueAt: 1 });

          const answer = await call('POST', `/deliveries/${eventId}/replay`);

          expect(answer).toMatchObject({
            status: 202,
            body: { eventId, state: 'pending', tries: 0 },
          });
          expect(answer.body).not.toHaveProperty('endedAt');
          const [row] = await world.database.queries.selectFrom('deliveries').selectAll().execute();
          expect(row).toMatchObject({ owner: null, leasedUntil: 0, endedAt: null });
          expect(row?.dueAt).toBeGreaterThan(day(30));
          expect(world.woken).toEqual(['webhooks']);
        },
      );

      test('returns 404 for an event of another endpoint', async () => {
        const eventId = await givenDelivery(world.database, { destination: other });

        const answer = await call('POST', `/deliveries/${eventId}/replay`);

        expect(answer).toMatchObject({
          status: 404,
          body: { type: '/problems/webhook-delivery-not-found' },
        });
        expect(await pending()).toEqual([]);
      });
    });

    describe('POST …/replay', () => {
      test('makes the failed deliveries since an instant due', async () => {
        await givenDelivery(world.database, { destination: id, at: day(1) });
        await givenDelivery(world.database, { destination: other, at: day(3) });
        await givenDelivery(world.database, { destination: id, at: day(3), state: 'delivered' });
        const wanted = [
          await givenDelivery(world.database, { destination: id, at: day(2) }),
          await givenDelivery(world.database, { destination: id, at: day(3) }),
        ];

        const answer = await call('POST', '/replay', { since: '2024-05-02T00:00:00Z' });

        expect(answer).toMatchObject({ status: 202, body: { replayed: 2 } });
        expect((await pending()).sort()).toEqual(wanted.sort());
        expect((await call('POST', '/replay', { since: day(2) })).body).toEqual({ replayed: 0 });
      });

      test('sends the oldest again until a hundred are pending', async () => {
        const newest = await givenDelivery(world.database, { destination: id, at: day(3) });
        const { queries } = world.database;
        const [row] = await queries.selectFrom('deliveries').selectAll().execute();
        const many = Array.from({ length: 150 }, (_, index) => ({
          ...(row as NonNullable<typeof row>),
          eventId: `msg_${index}`,
          at: day(2) + index,
        }));
        await queries.insertInto('deliveries').values(many).execute();

        const first = await call('POST', '/replay', { since: 0 });
        const isNewestPending = (await pending()).includes(newest);
        const second = await call('POST', '/replay', { since: 0 });
        const sent = queries.updateTable('deliveries').set({ state: 'delivered' });
        await sent.where('state', '=', 'pending').execute();
        const third = await call('POST', '/replay', { since: 0 });

        const numbers = [first, second, third].map((answer) => answer.body.replayed);
        expect(numbers).toEqual([100, 0, 51]);
        expect(isNewestPending).toBe(false);
      });

      test('rejects an instant that cannot be meant', async () => {
        const answer = await call('POST', '/replay', { since: 1_714_521_600 });

        expect(answer).toMatchObject({
          status: 400,
          body: { errors: [{ pointer: '#/since', detail: expect.stringMatching(/seconds/) }] },
        });
      });
    });

    test.each([
      ['/test', undefined],
      ['/deliveries/msg_1/replay', undefined],
      ['/replay', { since: 0 }],
    ])('POST …%s returns 409 for an endpoint that is disabled', async (path, body) => {
      const disabled = { disabledAt: 1, disabledReason: 'caller' };
      const endpointId = await givenEndpoint(world.database, disabled);

      const answer = await call('POST', path, body, endpointId);

      expect(answer).toMatchObject({
        status: 409,
        body: { type: '/problems/webhook-endpoint-disabled' },
      });
    });
  },
);
