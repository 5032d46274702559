import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { endPending } from '#notifications/deliveries/end-pending.ts';
import { changeEndpoint } from '#webhook-endpoints/store/change-endpoint.ts';
import { replayDelivery } from '#webhook-endpoints/store/deliveries.ts';
import { storageBackends } from '../export-jobs/storage-backends.ts';
import { givenDelivery } from '../webhook-endpoints/given-endpoint.ts';
import { openPost, type Receiver, start } from './open-post.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const delivered = { outcome: 'delivered', status: 200 } as const;
const failed = { outcome: 'failed', status: 500, reason: 'status 500' } as const;
const always =
  (answer: ReturnType<Receiver>['answer'], afterMs = 10): Receiver =>
  () => ({ afterMs, answer });

describe.each(storageBackends)('deliveries in %s', (_name, openStorage) => {
  test('an event reaches each endpoint of its caller at once, with a link', async () => {
    await using post = await openPost(openStorage);
    const one = await post.addEndpoint();
    const other = await post.addEndpoint({ eventTypes: '["export_job.completed"]' });
    await post.addEndpoint({ eventTypes: '["export_job.failed"]' });
    await post.addEndpoint({ caller: 'bob' });
    await post.addEndpoint({ disabledAt: start });
    post.open();
    await post.time.runFor(minuteMs);
    const begin = post.time.now();

    const jobId = await post.endJob();
    await post.time.runUntil(() => post.received.length === 2);

    expect(post.received.map(({ url }) => url.slice(8).split('.')[0]).sort()).toEqual(
      [one, other].sort(),
    );
    const [first, second] = post.received;
    expect(first?.id).toBe(second?.id);
    expect(first).toMatchObject({
      id: expect.stringMatching(/^msg_[0-9a-f-]{36}$/),
      type: 'export_job.completed',
      data: {
        jobId,
        target: 'prod',
        state: 'completed',
        version: 4,
        url: `/export/export-jobs/${jobId}`,
      },
      secrets: ['whsec_new'],
    });
    if (post.database.kind === 'sqlite') expect(first?.at).toBe(begin);
    await post.time.runFor(secondMs);
    expect(await post.deliveries()).toEqual([
      expect.objectContaining({ state: 'delivered', tries: 1, status: 204, error: null }),
      expect.objectContaining({ state: 'delivered' }),
    ]);
  });

  test('writes nothing when nobody listens', async () => {
    await using post = await openPost(openStorage);
    await post.addEndpoint({ caller: 'bob' });
    await post.addEndpoint({ disabledAt: start });

    await post.endJob();

    const events = await post.database.queries
      .selectFrom('notificationEvents')
      .selectAll()
      .execute();
    expect(events).toEqual([]);
  });

  test('retries by the schedule of Standard Webhooks, with the same id, and then fails', async () => {
    await using post = await openPost(openStorage, always(failed));
    const id = await post.addEndpoint();
    post.open();

    await post.endJob();
    await post.time.runFor(5 * dayMs);

    const times = post.received.map(({ at }) => at);
    const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0) - 10);
    const scheduled = [5 * secondMs, 5 * minuteMs, 30 * minuteMs, 2 * hourMs, 5 * hourMs]
      .concat([10 * hourMs, 14 * hourMs, 20 * hourMs, 24 * hourMs])
      .map((ms) => ms * 1.1); // half of the jitter
    expect(pauses).toEqual(scheduled.map((ms) => Math.round(ms)));
    expect(new Set(post.received.map((each) => each.id)).size).toBe(1);
    expect(await post.deliveries(id)).toEqual([
      expect.objectContaining({ state: 'failed', tries: 10, status: 500, error: 'status 500' }),
    ]);
    expect(await post.endpoint(id)).toMatchObject({ failingSince: start + 10, disabledAt: null });
  });

  test('waits as long as the receiver asks, at most a day', async () => {
    const asked = [hourMs, 30 * dayMs, 1];
    await using post = await openPost(openStorage, () => ({
      afterMs: 0,
      answer: { ...failed, retryAfterMs: asked.shift() ?? 0 },
    }));
    await post.addEndpoint();
    post.open();

    await post.endJob();
    await post.time.runFor(30 * hourMs);

    const [first = 0, second = 0, third = 0, fourth = 0] = post.received.map(({ at }) => at);
    expect([second - first, third - second, fourth - third]).toEqual([
      hourMs,
      dayMs,
      33 * minuteMs, // the schedule is longer
    ]);
  });

  test('disables an endpoint that answers 410, and ends its pending deliveries', async () => {
    await using post = await openPost(openStorage, ({ url }) => ({
      afterMs: 10,
      answer: url.includes('gone')
        ? { outcome: 'gone', status: 410, reason: 'status 410' }
        : delivered,
    }));
    const gone = await post.addEndpoint({ id: 'gone' });
    await post.addEndpoint();
    for (let event = 0; event < 10; event += 1) await post.endJob();
    post.open();

    await post.time.runFor(minuteMs);

    expect(await post.endpoint(gone)).toMatchObject({
      disabledAt: expect.any(Number),
      disabledReason: 'gone',
      version: 2,
    });
    expect(post.received.filter(({ url }) => url.includes('gone')).length).toBeLessThanOrEqual(2);
    expect((await post.deliveries(gone)).map(({ state }) => state)).toEqual(
      Array(10).fill('failed'),
    );
    expect(post.received.filter(({ url }) => !url.includes('gone'))).toHaveLength(10);
    expect(post.log.map(({ msg }) => msg)).toContain(
      'disabled a webhook endpoint that takes no events',
    );
    expect(JSON.stringify(post.log)).not.toContain('secret-path');
  });

  test('disables an endpoint when everything has failed for five days', async () => {
    await using post = await openPost(openStorage, always(failed));
    const id = await post.addEndpoint();
    post.open();

    for (let day = 0; day < 5; day += 1) {
      await post.endJob();
      await post.time.runFor(dayMs - minuteMs);
      expect(await post.endpoint(id)).toMatchObject({ disabledAt: null });
      await post.time.runFor(minuteMs);
    }
    await post.time.runFor(dayMs); // a delivery uses its last try

    expect(await post.endpoint(id)).toMatchObject({
      disabledAt: expect.any(Number),
      disabledReason: 'failing',
    });
    expect((await post.deliveries(id)).filter(({ state }) => state === 'pending')).toEqual([]);
  });

  test('does not disable an endpoint that works from time to time', async () => {
    let sent = 0;
    await using post = await openPost(openStorage, () => {
      sent += 1;
      return { afterMs: 10, answer: sent % 5 === 0 ? delivered : failed };
    });
    const id = await post.addEndpoint();
    post.open();

    for (let day = 0; day < 8; day += 1) {
      await post.endJob();
      await post.time.runFor(dayMs);
    }

    expect(await post.endpoint(id)).toMatchObject({ disabledAt: null });
  });

  test('does not disable an endpoint of few events because the first try of one fails', async () => {
    let sent = 0;
    await using post = await openPost(openStorage, () => {
      sent += 1;
      return { afterMs: 10, answer: sent <= 11 ? failed : delivered };
    });
    const id = await post.addEndpoint();
    post.open();

    await post.endJob();
    await post.time.runFor(7 * dayMs);
    await post.endJob();
    await post.time.runFor(minuteMs);

    expect(await post.endpoint(id)).toMatchObject({ disabledAt: null, failingSince: null });
    expect(await post.deliveries(id)).toMatchObject([
      { state: 'failed', tries: 10 },
      { state: 'delivered', tries: 2 },
    ]);
  });

  test('ends the pending deliveries of an endpoint that was deleted or disabled', async () => {
    await using post = await openPost(openStorage, always(failed));
    const deleted = await post.addEndpoint();
    const disabled = await post.addEndpoint();
    post.open();
    for (let event = 0; event < 5; event += 1) await post.endJob();
    await post.time.runUntil(() => post.received.length === 10);

    const { queries } = post.database;
    await queries.deleteFrom('webhookEndpoints').where('id', '=', deleted).execute();
    await queries
      .updateTable('webhookEndpoints')
      .set({ disabledAt: post.time.now() })
      .where('id', '=', disabled)
      .execute();
    await post.time.runFor(minuteMs);

    const errorsOf = async (id: string) => (await post.deliveries(id)).map(({ error }) => error);
    expect(await errorsOf(deleted)).toEqual(Array(5).fill('endpoint deleted'));
    expect(await errorsOf(disabled)).toEqual(Array(5).fill('endpoint disabled'));
    expect(post.received).toHaveLength(10);
  });

  test('ends pending deliveries that wait for a later try, as soon as their endpoint is disabled', async () => {
    await using post = await openPost(openStorage, always(failed));
    const id = await post.addEndpoint();
    const notifications = post.open();
    await post.endJob();
    await post.time.runUntil(() => post.received.length === 3);
    await post.time.runFor(1_000);

    const disabled = { disabledAt: post.time.now(), disabledReason: 'caller' };
    await changeEndpoint(post.database, id, disabled);
    notifications.wake();
    await post.time.runFor(1_000);
    const ended = await post.deliveries(id);
    await changeEndpoint(post.database, id, { disabledAt: null, disabledReason: null });
    await post.time.runFor(dayMs);

    expect(ended).toMatchObject([{ state: 'failed', error: 'endpoint disabled' }]);
    expect(post.received).toHaveLength(3);
  });

  test('ends a long backlog in parts, so that no statement takes long', async () => {
    await using post = await openPost(openStorage);
    const id = await post.addEndpoint({ disabledAt: start, disabledReason: 'gone' });
    const pending = { destination: id, state: 'pending', endedAt: null } as const;
    for (let event = 0; event < 1_001; event += 1) await givenDelivery(post.database, pending);
    const countEnded = async () =>
      (await post.deliveries(id)).filter(({ error }) => error === 'endpoint gone').length;

    const isLeft = await endPending(post.database, id);
    const ended = await countEnded();
    post.open();
    await post.time.runFor(minuteMs);

    expect([isLeft, ended]).toEqual([true, 1_000]);
    expect(await countEnded()).toBe(1_001);
    expect(post.received).toEqual([]);
  });

  test('does not disable an endpoint with a new URL because the URL before answers 410', async () => {
    await using post = await openPost(openStorage, ({ url }) =>
      url.includes('new')
        ? { afterMs: 10, answer: delivered }
        : { afterMs: 5_000, answer: { outcome: 'gone', status: 410 } },
    );
    const id = await post.addEndpoint();
    const notifications = post.open();
    await post.endJob();
    await post.time.runUntil(() => post.received.length === 1);

    await changeEndpoint(post.database, id, { url: 'https://new.example.com/' });
    notifications.wake();
    await post.time.runFor(minuteMs);

    expect(await post.endpoint(id)).toMatchObject({ disabledAt: null, failingSince: null });
    expect(post.received.map(({ url }) => url)).toEqual([
      `https://${id}.example.com/secret-path`,
      'https://new.example.com/',
    ]);
    expect(await post.deliveries(id)).toMatchObject([{ state: 'delivered', error: null }]);
  });

  test('signs with both secrets until the rotation has ended', async () => {
    await using post = await openPost(openStorage);
    const previousSecretUntil = start + hourMs;
    await post.addEndpoint({ previousSecret: 'whsec_old', previousSecretUntil });
    post.open();

    await post.endJob();
    await post.time.runFor(hourMs + minuteMs);
    await post.endJob();
    await post.time.runFor(minuteMs);

    expect(post.received.map(({ secrets }) => secrets)).toEqual([
      ['whsec_new', 'whsec_old'],
      ['whsec_new'],
    ]);
  });

  test('ignores the result of a try that began before a replay', async () => {
    const answers = [
      { afterMs: 2_000, answer: delivered },
      { afterMs: 5_000, answer: failed },
    ];
    await using post = await openPost(
      openStorage,
      () => answers.shift() ?? { afterMs: 0, answer: failed },
    );
    const id = await post.addEndpoint();
    const notifications = post.open();
    await post.endJob();
    await post.time.runUntil(() => post.received.length === 1);
    const eventId = post.received[0]?.id ?? '';

    await replayDelivery(post.database, id, eventId);
    notifications.wake();
    await post.time.runUntil(() => post.received.length === 2);
    await post.time.runFor(3_000);
    const duringReplay = await post.deliveries(id);
    await post.time.runFor(3_000);

    expect(duringReplay).toEqual([expect.objectContaining({ state: 'pending', status: null })]);
    expect(await post.deliveries(id)).toEqual([
      expect.objectContaining({ state: 'pending', tries: 1, status: 500 }),
    ]);
  });

  test('sends each event once from several replicas', async () => {
    await using post = await openPost(openStorage, always(delivered, 200));
    for (let endpoint = 0; endpoint < 4; endpoint += 1) await post.addEndpoint();
    for (let replica = 0; replica < 3; replica += 1) post.open();

    for (let event = 0; event < 60; event += 1) await post.endJob();
    await post.time.runFor(minuteMs);

    expect(post.received).toHaveLength(240);
    expect(new Set(post.received.map(({ id, url }) => `${id} ${url}`)).size).toBe(240);
  });
});

test('a delivery to the URL before a change that has not ended is sent again, on PostgreSQL', async () => {
  const [, [, openPostgres]] = storageBackends as [unknown, (typeof storageBackends)[number]];
  await using post = await openPost(openPostgres, ({ url }) => ({
    afterMs: url.includes('new') ? 10 : 5_000,
    answer: delivered,
  }));
  const id = await post.addEndpoint();
  post.open();
  const endpoint = await lockEndpoint(post.database, id);
  const change = changeEndpoint(post.database, id, { url: 'https://new.example.com/' });
  await untilOneWaits(post.database);

  await post.endJob();
  await post.time.runUntil(() => post.received.length === 1);
  await endpoint.unlock();
  await change;
  await post.time.runFor(minuteMs);

  expect(post.received.map(({ url }) => url)).toEqual([
    `https://${id}.example.com/secret-path`,
    'https://new.example.com/',
  ]);
  expect(await post.deliveries(id)).toMatchObject([{ state: 'delivered', tries: 2 }]);
});

/** Locks an endpoint: changes of it wait. */
async function lockEndpoint(
  { transaction }: Database,
  id: string,
): Promise<{ unlock: () => Promise<void> }> {
  const locked = Promise.withResolvers<void>();
  const unlocked = Promise.withResolvers<void>();
  const ended = transaction(async (queries) => {
    const endpoint = queries.selectFrom('webhookEndpoints').select('id').where('id', '=', id);
    await endpoint.forUpdate().execute();
    locked.resolve();
    await unlocked.promise;
  });
  await Promise.race([locked.promise, ended]);
  return {
    unlock() {
      unlocked.resolve();
      return ended;
    },
  };
}

/** Resolves when a statement waits for a lock of another one. */
async function untilOneWaits({ queries }: Database): Promise<void> {
  const waiting = sql`
    select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
  `;
  while ((await waiting.execute(queries)).rows.length === 0);
}
