import { expect, test } from 'vitest';

import { makeSharedClient } from '#aws/regions/shared-client.ts';

/** A shared client that counts how often it is opened and destroyed, with a clock. */
function openCounted() {
  const counts = { opened: 0, destroyed: 0 };
  let now = 0;
  const open = () => {
    counts.opened += 1;
    return {
      name: `client ${counts.opened}`,
      destroy() {
        counts.destroyed += 1;
      },
    };
  };
  const shared = makeSharedClient(open, () => now);
  return {
    shared,
    counts,
    advance: (minutes: number) => {
      now += minutes * 60_000;
      shared.closeIfUnused();
    },
    nameInUse: () => shared.use(async ({ name }) => name),
  };
}

test('a shared client is opened by the first call, for all calls', async () => {
  const { counts, nameInUse } = openCounted();
  expect(counts.opened).toBe(0);

  const names = await Promise.all([nameInUse(), nameInUse(), nameInUse()]);

  expect(names).toEqual(['client 1', 'client 1', 'client 1']);
});

test('a shared client is destroyed when it was not used for five minutes, and opened again', async () => {
  const { counts, advance, nameInUse } = openCounted();
  await nameInUse();
  advance(4);
  await nameInUse();
  advance(4);
  const before = counts.destroyed;

  advance(1);

  expect([before, counts.destroyed]).toEqual([0, 1]);
  expect(await nameInUse()).toBe('client 2');
});

test('a shared client is not destroyed while a call is in flight', async () => {
  const { shared, counts, advance } = openCounted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const call = shared.use(() => promise);

  advance(60);
  const during = counts.destroyed;
  resolve();
  await call;
  advance(4);

  expect([during, counts.destroyed]).toEqual([0, 0]);
});

test('a shared client is not opened again after it was disposed of', async () => {
  const { shared, counts, nameInUse } = openCounted();
  await nameInUse();

  shared[Symbol.dispose]();

  await expect(nameInUse()).rejects.toThrow('closed');
  expect(counts).toEqual({ opened: 1, destroyed: 1 });
});
