import { expect, test } from 'vitest';

import { makeRandom } from '../../random.ts';
import { openSeededQueue, seedEvents, verificationsOf } from './seeded-exports.ts';

// 1,000 were checked once with TEST_WINDOWS=1000, with several seeds.
const windows = Number(process.env.TEST_WINDOWS ?? 30);

test('tells empty windows from full ones', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  process.stdout.write(`windows: seed ${seed}\n`);
  const random = makeRandom(seed);
  await using queue = await openSeededQueue({
    streams: 0,
    emulator: { emptyEventPages: 2, pendingMs: 100, runningMs: 100 },
  });
  const expected = Array.from({ length: windows }, (_, hour) => {
    const events = random() < 0.5 ? 0 : 1 + Math.floor(random() * 4);
    const messages = Array.from({ length: events }, (_, index) => `event ${index}`);
    if (events > 0) seedEvents(queue.emulator, `web-${hour % 7}`, messages, hour);
    return events === 0 ? 1 : 0;
  });
  const verification = random() < 0.5 ? 'objects' : 'count';
  await queue.put({ slices: windows, verification });

  await queue.runUntilDone();

  const found = await verificationsOf(queue);
  expect(found.map(({ isEmpty }) => isEmpty)).toEqual(expected);
  expect(new Set(found.map(({ attempt }) => attempt))).toEqual(new Set([1]));
});
