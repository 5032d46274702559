import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { openStorage } from './open-storage.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

let now = 0;
/** Lets minutes pass, in which unused clients are closed. */
function pass(minutes: number): void {
  for (let passed = 0; passed < minutes; passed += 1) {
    now += 60_000;
    vi.advanceTimersByTime(60_000);
  }
}

test('an object is read to its end, although no other call is made for ten minutes', async () => {
  await using opened = await openStorage({}, { elapsed: () => now });
  const place = { bucket: 'archive', key: 'large' };
  const body = Buffer.alloc(16 * 2 ** 20, 'log ');
  await opened.storage.writeOnce({ ...place, body, contentType: 'text/plain' });

  const object = await opened.storage.readObject(place);
  pass(10);

  expect((await buffer(object)).equals(body)).toBe(true);
});

test('S3 is called again after its unused client was closed', async () => {
  await using opened = await openStorage({}, { elapsed: () => now });
  const before = await opened.storage.readBucket('archive');

  pass(10);

  expect(await opened.storage.readBucket('archive')).toEqual(before);
});
