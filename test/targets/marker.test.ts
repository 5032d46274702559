import { expect, test } from 'vitest';

import { jobOfMarker, makeMarker } from '#targets/marker.ts';

test('a marker names its job', () => {
  const jobId = '3f1c6a52-8c0f-4f0a-9d57-0d1a3f5d9a11';

  const marker = makeMarker('12345678', { jobId, slice: 12, attempt: 3 }, '0123456789abcdef');

  expect(marker).toBe(`xp1-12345678-${jobId}-12-3-0123456789abcdef`);
  expect(jobOfMarker(marker)).toBe(jobId);
});

test.for([undefined, '', 'checkout', 'xp1-', 'xp1-a-b', 'xp2-a-b-c-d-e-f'])(
  'the name %s names none',
  (taskName) => {
    expect(jobOfMarker(taskName)).toBeUndefined();
  },
);
