import { describe, expect, test } from 'vitest';

import { storageBackends } from '../export-jobs/storage-backends.ts';
import { openPost } from './open-post.ts';

const minuteMs = 60_000;
const off = { sendWebhook: undefined };

describe.each(storageBackends)('a replica with WEBHOOKS=off, on %s', (_name, openStorage) => {
  test('loses no event that a replica with WEBHOOKS=on can send', async () => {
    await using post = await openPost(openStorage);
    await post.addEndpoint();
    post.open(off);
    const on = post.open();
    await post.time.runFor(minuteMs);
    await on.close();

    for (let event = 0; event < 50; event += 1) await post.endJob();
    await post.time.runFor(minuteMs);
    post.open();
    await post.time.runFor(minuteMs);

    expect(post.received).toHaveLength(50);
  });

  test('stores no delivery while no replica has WEBHOOKS=on', async () => {
    await using post = await openPost(openStorage);
    await post.addEndpoint();
    post.open(off);

    await post.endJob();
    await post.time.runFor(minuteMs);

    const { queries } = post.database;
    expect(await queries.selectFrom('notificationEvents').selectAll().execute()).toEqual([]);
    expect(await post.deliveries()).toEqual([]);
  });

  test('ends pending deliveries when no replica has had WEBHOOKS=on for five minutes', async () => {
    await using post = await openPost(openStorage, () => ({
      afterMs: 10,
      answer: { outcome: 'failed', status: 500, reason: 'status 500' },
    }));
    const id = await post.addEndpoint();
    const on = post.open();
    await post.endJob();
    await post.time.runFor(minuteMs);
    await on.close();

    const notifications = post.open(off);
    await post.time.runFor(3 * minuteMs);
    notifications.wake();
    await post.time.runFor(minuteMs);
    const soon = await post.deliveries(id);
    await post.time.runFor(2 * minuteMs);
    notifications.wake();
    await post.time.runFor(minuteMs);

    expect(soon).toMatchObject([{ state: 'pending' }]);
    expect(await post.deliveries(id)).toMatchObject([
      { state: 'failed', error: 'webhooks switched off' },
    ]);
    expect(await post.endpoint(id)).toMatchObject({ disabledAt: null });
  });
});
