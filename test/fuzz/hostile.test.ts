import { expect, test } from 'vitest';

import { runHostile } from './hostile.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

test(`300 hostile requests end no gateway, and none is a 5xx (seed ${seed})`, async () => {
  const { requests, failures, byStatus, halfSent, live } = await runHostile({ count: 300, seed });

  expect([requests, failures]).toEqual([expect.any(Number), []]);
  expect(requests).toBeGreaterThanOrEqual(300);
  expect(halfSent).toBeGreaterThanOrEqual(119);
  expect(live.failures).toBe(0);
  expect(live.probes).toBeGreaterThan(0);
  expect(Object.keys(byStatus.forbidden)).toEqual(expect.arrayContaining(['403', '404', '415']));
  expect(Object.keys(byStatus.permitted)).toEqual(expect.arrayContaining(['400', '404', '413']));
  expect(Object.keys(byStatus.forbidden)).not.toContain('201');
  expect(Object.keys(byStatus.forbidden)).not.toContain('202');
  expect(Object.keys(byStatus.unknown)).toContain('401');
}, 240_000);
