import { expect, test } from 'vitest';

import { readNotificationFigures } from '#notifications/deliveries/read-figures.ts';
import { openMetrics } from '#telemetry/metrics/open-metrics.ts';
import { storageBackends } from '../export-jobs/storage-backends.ts';
import { readExposition } from '../telemetry/metrics/exposition.ts';
import { openPost } from './open-post.ts';

test.each(storageBackends)('counts tries, and shows what waits, on %s', async (_name, open) => {
  await using post = await openPost(open, ({ url }) => ({
    afterMs: 10,
    answer: url.includes('failing')
      ? { outcome: 'failed', status: 500, reason: 'status 500' }
      : { outcome: 'delivered', status: 204 },
  }));
  const read = () => readNotificationFigures(post.database);
  using metrics = openMetrics({
    targets: () => [],
    elapsed: () => 0,
    notifications: { read, sleep: async () => {} },
  });
  await post.addEndpoint({ id: 'failing' });
  await post.addEndpoint();
  await post.endJob();
  await post.time.runFor(30_000);
  const waiting = await read();

  post.open();
  await post.time.runFor(60_000);
  const figures = await read();
  const { value } = readExposition(await metrics.render());

  expect(waiting).toEqual([{ destination: 'outbox', pending: 1, oldestMs: expect.any(Number) }]);
  expect(figures.toSorted((one, other) => one.pending - other.pending)).toEqual([
    { destination: 'outbox', pending: 0, oldestMs: 0 },
    { destination: 'webhook', pending: 1, oldestMs: expect.any(Number) },
  ]);
  expect(figures.find(({ pending }) => pending === 1)?.oldestMs).toBeGreaterThanOrEqual(60_000);
  const tries = 'log_export_notification_tries_total';
  expect(value(tries, { destination: 'webhook', outcome: 'delivered' })).toBe(1);
  expect(value(tries, { destination: 'webhook', outcome: 'failed' })).toBe(2);
  expect(value(tries, { destination: 'sns', outcome: 'delivered' })).toBe(0);
});
