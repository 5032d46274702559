import { describe, expect, test } from 'vitest';

import { shortenDeliveryWaits } from '#notifications/deliveries/clock-set-back.ts';
import { notificationTimings } from '#notifications/timings.ts';
import { planOf, recordStatements } from '../database/query-plans.ts';
import { openStore, storageBackends } from '../export-jobs/storage-backends.ts';
import { countTurns } from '../turns.ts';
import { openPost, type Receiver } from './open-post.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

const inProduction = { timings: notificationTimings };
const delivered = { outcome: 'delivered', status: 200 } as const;
const told = 'clock of the database was set back, shortened the waits of deliveries';

describe.each(storageBackends)(
  'a clock of the database set back by an hour, in %s',
  (_name, openStorage) => {
    const openReceiver = async (receive?: Receiver) => {
      const post = await openPost(openStorage, receive);
      await post.addEndpoint();
      return post;
    };

    test('does not delay the next try of a delivery, and is logged as an error once', async () => {
      const failed = { outcome: 'failed', status: 500, reason: 'status 500' } as const;
      await using post = await openReceiver(() => ({ afterMs: 10, answer: failed }));
      post.open(inProduction);
      await post.endJob();
      await post.time.runUntil(() => post.received.length === 2);
      await post.time.runFor(minuteMs); // of a pause of 5.5 minutes

      post.databaseClock.aheadMs = -hourMs;
      await post.time.runFor(6 * minuteMs);

      const [, second, third] = post.received.map(({ at }) => at);
      expect((third ?? 0) - (second ?? 0)).toBeGreaterThan(5 * minuteMs);
      expect(await post.deliveries()).toEqual([expect.objectContaining({ tries: 3 })]);
      expect(post.log.filter(({ msg }) => msg === told)).toEqual([
        expect.objectContaining({ level: 'error', deliveries: 1 }),
      ]);
    });

    test('does not delay deliveries that wait for their first try', async () => {
      await using post = await openReceiver(() => ({ afterMs: 20_000, answer: delivered }));
      post.open(inProduction);
      for (let event = 0; event < 5; event += 1) await post.endJob();
      await post.time.runUntil(() => post.received.length === 2); // as many as an endpoint gets at once

      post.databaseClock.aheadMs = -hourMs;
      await post.time.runFor(2 * minuteMs);

      const states = (await post.deliveries()).map(({ state, tries }) => `${state} ${tries}`);
      expect(states).toEqual(Array(5).fill('delivered 1'));
    });

    test('does not delay an event of before', async () => {
      await using post = await openReceiver();
      await post.endJob();

      post.databaseClock.aheadMs = -hourMs;
      post.open(inProduction);
      await post.time.runFor(10 * secondMs);

      expect(post.received).toHaveLength(1);
    });

    test('does not delay deliveries if no replica worked meanwhile', async () => {
      await using post = await openReceiver(() => ({ afterMs: 20_000, answer: delivered }));
      const stopped = post.open(inProduction);
      for (let event = 0; event < 3; event += 1) await post.endJob();
      await post.time.runUntil(() => post.received.length === 2);
      const closed = stopped.close();
      await post.time.runFor(minuteMs);
      await closed;

      post.databaseClock.aheadMs = -hourMs;
      post.open(inProduction);
      await post.time.runFor(minuteMs);

      expect(post.received).toHaveLength(3);
    });

    test('does not send again what is being sent', async () => {
      await using post = await openReceiver(() => ({ afterMs: 20_000, answer: delivered }));
      post.open(inProduction);
      await post.endJob();
      await post.time.runUntil(() => post.received.length === 1);

      post.databaseClock.aheadMs = -hourMs;
      await post.time.runFor(2 * minuteMs);

      expect(post.received).toHaveLength(1);
      expect(await post.deliveries()).toEqual([
        expect.objectContaining({ state: 'delivered', tries: 1 }),
      ]);
    });

    test('does not delay a try whose process was killed', async () => {
      let sent = 0;
      await using post = await openReceiver(() => {
        sent += 1;
        return { afterMs: sent === 1 ? 4 * minuteMs : 10, answer: delivered };
      });
      post.open(inProduction);
      await post.endJob();
      await post.time.runUntil(() => post.received.length === 1); // its lease ends in a minute

      post.databaseClock.aheadMs = -hourMs;
      await post.time.runFor(2 * minuteMs);
      const received = post.received.length;
      await post.time.runFor(5 * minuteMs); // the first try ends, too late

      expect(received).toBe(2);
    });
  },
);

test('the waits of a long backlog are shortened in parts, in the order of an index', async () => {
  const [[, openSqlite]] = storageBackends as [(typeof storageBackends)[number]];
  await using store = await openStore(openSqlite);
  const dueAt = Date.now() + hourMs;
  const pending = { state: 'pending', tries: 0, triedAt: null, endedAt: null, dueAt } as const;
  const delivery = {
    at: 0,
    type: '',
    jobId: null,
    archiveId: null,
    version: 1,
    body: '',
    ...pending,
  };
  const deliveries = Array.from({ length: 2_500 }, (_, index) => ({
    ...delivery,
    destination: index < 1_500 ? 'one' : 'other',
    eventId: `event-${index}`,
  }));
  for (const part of [deliveries.slice(0, 1_250), deliveries.slice(1_250)])
    await store.queries.insertInto('deliveries').values(part).execute();
  const { database, statements } = recordStatements(store);
  using turns = countTurns();

  const shortened = await shortenDeliveryWaits(database);

  expect(shortened).toBe(2_500);
  expect(statements).toHaveLength(6); // two for each part
  expect(turns.count).toBeGreaterThanOrEqual(3);
  const plans = await Promise.all(statements.map((each) => planOf(store, each)));
  for (const plan of plans)
    expect(plan.join()).toContain('deliveries_due ((destination,due_at,event_id)>(?,?,?)');
  const late = store.queries.selectFrom('deliveries').where('dueAt', '>=', dueAt);
  expect(await late.select('eventId').execute()).toEqual([]);
});
