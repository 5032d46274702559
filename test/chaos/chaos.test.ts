import { expect, test } from 'vitest';

import { makeRandom } from './scenario.ts';
import { killAtRandom } from './scenarios/random-kills.ts';

// The short form; npm run chaos is the long one.
test('50 kills lose nothing, export nothing twice and leave nothing stuck', async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const stop = new AbortController();

  const report = await killAtRandom({
    serverUrl: process.env.TEST_POSTGRES_URL ?? '',
    count: 50,
    replicas: 6,
    random: makeRandom(seed),
    signal: stop.signal,
    onProgress: () => {},
  });

  process.stdout.write(`chaos: seed ${seed}, ${report.hitsInStarting} of 50 hit a start\n`);
  expect(report.violations).toEqual([]);
  expect(report.kills).toBe(50);
  expect(report.slices).toBeGreaterThan(5);
});
