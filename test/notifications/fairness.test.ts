import { expect, test } from 'vitest';

import { storageBackends } from '../export-jobs/storage-backends.ts';
import { openPost } from './open-post.ts';

const [[, openSqlite]] = storageBackends as [(typeof storageBackends)[number]];

test('an endpoint that hangs delays no delivery to another one', async () => {
  await using post = await openPost(openSqlite, ({ url }) =>
    url.includes('hanging')
      ? { afterMs: 15_000, answer: { outcome: 'failed', reason: 'timeout' } }
      : { afterMs: 20, answer: { outcome: 'delivered', status: 200 } },
  );
  await post.addEndpoint({ id: 'hanging' });
  await post.addEndpoint({ id: 'healthy' });
  post.open();
  await post.time.runFor(60_000);
  const begin = post.time.now();

  for (let event = 0; event < 1_000; event += 1) await post.endJob();
  const isHealthy = ({ url }: { url: string }) => url.includes('healthy');
  await post.time.runUntil(() => post.received.filter(isHealthy).length === 1_000);

  // Two at once, 20 ms each: as if it were alone.
  expect(post.time.now() - begin).toBeLessThan(11_000);
  expect(post.mostAtOnce.toOne).toBe(2);
  const hanging = post.received.filter((each) => !isHealthy(each));
  expect(hanging.length).toBeLessThanOrEqual(2);
});

test('sixteen endpoints that hang leave places for one that works', async () => {
  await using post = await openPost(openSqlite, ({ url }) =>
    url.includes('hanging')
      ? { afterMs: 15_000, answer: { outcome: 'failed', reason: 'timeout' } }
      : { afterMs: 20, answer: { outcome: 'delivered', status: 200 } },
  );
  for (let index = 0; index < 16; index += 1) await post.addEndpoint({ id: `hanging-${index}` });
  post.open();
  for (let event = 0; event < 20; event += 1) await post.endJob();
  await post.time.runFor(60_000); // it has learnt which ones hang
  await post.addEndpoint({ id: 'healthy' });
  const begin = post.time.now();

  const jobId = await post.endJob();
  const arrived = () =>
    post.received.find(({ url, data }) => url.includes('healthy') && data.jobId === jobId);
  await post.time.runUntil(() => arrived() !== undefined);

  expect((arrived()?.at ?? 0) - begin).toBeLessThan(1_000);
  expect(post.mostAtOnce.all).toBe(16);
});
