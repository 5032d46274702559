import { expect, test } from 'vitest';

import { backOffMs } from '#time/back-off.ts';

test('a pause doubles with each failure up to the longest', () => {
  const pauses = { firstMs: 500, maxMs: 3_000 };

  const paused = [0, 1, 2, 3, 4, 10_000].map((failures) => backOffMs(failures, pauses));

  expect(paused).toEqual([500, 1_000, 2_000, 3_000, 3_000, 3_000]);
});
