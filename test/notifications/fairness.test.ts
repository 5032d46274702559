import { expect, test } from 'vitest';

import { storageBackends } from '../export-jobs/storage-backends.ts';
import { openPost, type Post, type Receiver } from './open-post.ts';

const [[, openSqlite]] = storageBackends as [(typeof storageBackends)[number]];
const hanging = {
  afterMs: 15_000,
  answer: { outcome: 'failed', reason: 'timeout' },
} as const;
const late = { afterMs: 14_000, answer: { outcome: 'delivered', status: 200 } } as const;
const healthy = { afterMs: 20, answer: { outcome: 'delivered', status: 200 } } as const;
const isHealthy = ({ url }: { url: string }) => url.includes('healthy');
const onlyHealthyWorks =
  (others: ReturnType<Receiver>): Receiver =>
  (sent) =>
    isHealthy(sent) ? healthy : others;

/** Ends a job of a caller. Returns how long its event took to the healthy endpoint, in ms. */
async function delayOf({ time, endJob, received }: Post, caller: string): Promise<number> {
  const begin = time.now();
  const jobId = await endJob({ caller });
  const arrived = () => received.find((each) => isHealthy(each) && each.data.jobId === jobId);
  await time.runUntil(() => arrived() !== undefined);
  return (arrived()?.at ?? 0) - begin;
}

test('an endpoint that hangs delays no delivery to another one', async () => {
  await using post = await openPost(openSqlite, onlyHealthyWorks(hanging));
  await post.addEndpoint({ id: 'hanging' });
  await post.addEndpoint({ id: 'healthy' });
  post.open();
  await post.time.runFor(60_000);
  const begin = post.time.now();

  for (let event = 0; event < 1_000; event += 1) await post.endJob();
  await post.time.runUntil(() => post.received.filter(isHealthy).length === 1_000);

  // Two at once, 20 ms each: as if it were alone.
  expect(post.time.now() - begin).toBeLessThan(11_000);
  expect(post.mostAtOnce.toOne).toBe(2);
  expect(post.received.filter((each) => !isHealthy(each)).length).toBeLessThanOrEqual(2);
});

test('sixteen endpoints that hang leave places for one that works', async () => {
  await using post = await openPost(openSqlite, onlyHealthyWorks(hanging));
  const callers = ['alice', 'carol', 'dave', 'erin'];
  for (let index = 0; index < 16; index += 1)
    await post.addEndpoint({ id: `hanging-${index}`, caller: callers[index % 4] as string });
  post.open();
  for (let event = 0; event < 20; event += 1)
    for (const caller of callers) await post.endJob({ caller });
  await post.time.runFor(60_000); // it has learnt which ones hang
  await post.addEndpoint({ id: 'healthy', caller: 'bob' });

  expect(await delayOf(post, 'bob')).toBeLessThan(1_000);
  expect(post.mostAtOnce.all).toBe(16);
});

test.each([
  { what: 'answer late', answer: late, replicas: 1 },
  { what: 'answer late', answer: late, replicas: 2 },
  { what: 'hang', answer: hanging, replicas: 1 },
  { what: 'hang', answer: hanging, replicas: 2 },
])(
  'ten endpoints that $what delay no other caller with replicas: $replicas',
  async ({ answer, replicas }) => {
    await using post = await openPost(openSqlite, onlyHealthyWorks(answer));
    for (let index = 0; index < 10; index += 1) await post.addEndpoint({ id: `slow-${index}` });
    await post.addEndpoint({ id: 'healthy', caller: 'bob' });
    for (let replica = 0; replica < replicas; replica += 1) post.open();
    for (let event = 0; event < 10; event += 1) await post.endJob();

    for (let event = 0; event < 20; event += 1) {
      expect(await delayOf(post, 'bob')).toBeLessThan(1_000);
      await post.time.runFor(2_000);
    }

    expect(post.mostAtOnce.all).toBeLessThanOrEqual(replicas * 6);
  },
);

test('endpoints that answer late leave places for another one of their caller', async () => {
  await using post = await openPost(openSqlite, onlyHealthyWorks(late));
  for (let index = 0; index < 9; index += 1) await post.addEndpoint({ id: `slow-${index}` });
  post.open();
  for (let event = 0; event < 20; event += 1) await post.endJob();
  await post.time.runFor(60_000); // it has learnt which ones are slow
  await post.addEndpoint({ id: 'healthy' });

  expect(await delayOf(post, 'alice')).toBeLessThan(1_000);
});

test('an endpoint that has failed once is not delayed by those of a caller that hang', async () => {
  let sent = 0;
  await using post = await openPost(openSqlite, (webhook) => {
    if (!isHealthy(webhook)) return hanging;
    sent += 1;
    return sent === 1
      ? { afterMs: 20, answer: { outcome: 'failed', status: 500, reason: 'status 500' } }
      : healthy;
  });
  for (let index = 0; index < 10; index += 1) await post.addEndpoint({ id: `hanging-${index}` });
  await post.addEndpoint({ id: 'healthy', caller: 'bob' });
  post.open();
  for (let event = 0; event < 20; event += 1) await post.endJob();
  await post.time.runFor(60_000);
  const begin = post.time.now();

  await post.endJob({ caller: 'bob' });
  await post.time.runUntil(() => sent === 2);

  expect(post.time.now() - begin).toBeLessThan(7_000);
});

test('events that follow one another without end do not delay the first deliveries', async () => {
  await using post = await openPost(openSqlite, () => healthy);
  await post.addEndpoint({ id: 'noisy', caller: 'carol' });
  await post.addEndpoint({ id: 'healthy', caller: 'bob' });
  await post.endJob({ caller: 'bob' });
  const { database } = post;
  let rounds = 0;

  post.open({
    database: {
      ...database,
      // With each transaction, as many events follow as the next one takes.
      async transaction(act) {
        if (post.received.length === 0 && rounds < 40) {
          rounds += 1;
          for (let event = 0; event < 50; event += 1) await post.endJob({ caller: 'carol' });
        }
        return database.transaction(act);
      },
    },
  });
  await post.time.runUntil(() => post.received.some(isHealthy));

  expect(rounds).toBeGreaterThanOrEqual(10);
  expect(rounds).toBeLessThan(20);
  await post.time.runUntil(() => post.received.length === 50 * rounds + 1);
});
