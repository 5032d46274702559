import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { openStorage } from './open-storage.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

test('an object is read to its end, although no other call is made for ten minutes', async () => {
  let now = 0;
  await using opened = await openStorage({}, { elapsed: () => now });
  const place = { bucket: 'archive', key: 'large' };
  const body = Buffer.alloc(8 * 2 ** 20, 'log ');
  await opened.storage.writeOnce({ ...place, body, contentType: 'text/plain' });

  const object = await opened.storage.readObject(place);
  for (let minutes = 0; minutes < 10; minutes += 1) {
    now += 60_000;
    vi.advanceTimersByTime(60_000);
  }

  expect((await buffer(object)).equals(body)).toBe(true);
});
