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
