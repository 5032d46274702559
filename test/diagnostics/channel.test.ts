import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, test } from 'vitest';

import { openChannel } from '#diagnostics/channel.ts';

test('a channel tells its listeners, until they end their subscription', () => {
  const channel = openChannel<{ value: number }>('test-of-listeners');
  const heard: number[] = [];
  channel.publish({ value: 1 });

  const end = channel.subscribe(({ value }) => heard.push(value));
  const endOther = channel.subscribe(({ value }) => heard.push(10 * value));
  const hasSubscribers = [channel.hasSubscribers];
  channel.publish({ value: 2 });
  end();
  channel.publish({ value: 3 });
  endOther();
  channel.publish({ value: 4 });
  hasSubscribers.push(channel.hasSubscribers);

  expect(heard).toEqual([2, 20, 30]);
  expect(hasSubscribers).toEqual([true, false]);
});

test('a channel has a name in Node that begins with the name of the service', () => {
  const channel = openChannel<string>('test-of-names');
  const heard: unknown[] = [];
  const listen = (message: unknown) => void heard.push(message);

  subscribe('log-export-gateway:test-of-names', listen);
  channel.publish('a message');
  unsubscribe('log-export-gateway:test-of-names', listen);

  expect(heard).toEqual(['a message']);
});

test('what is bound to a channel holds in its run and in everything that it starts', async () => {
  const channel = openChannel<{ value: number }>('test-of-runs');
  const store = new AsyncLocalStorage<number>();
  const seen: (number | undefined)[] = [];
  const see = async () => {
    seen.push(store.getStore());
    await Promise.resolve();
    seen.push(store.getStore());
    return 'result';
  };

  const unbind = channel.bind(store, ({ value }) => 10 * value);
  const result = await channel.run({ value: 1 }, see);
  const outside = store.getStore();
  unbind();
  await channel.run({ value: 2 }, see);

  expect(result).toBe('result');
  expect(outside).toBeUndefined();
  expect(seen).toEqual([10, 10, undefined, undefined]);
  expect(channel.hasSubscribers).toBe(false);
});
