import { expect, test } from 'vitest';

import { isOwnMarker, jobOfMarker, makeMarker } from '#targets/marker.ts';

const installation = { id: '12345678', secret: 'secret' };

test('a marker contains its job id', () => {
  const jobId = '3f1c6a52-8c0f-4f0a-9d57-0d1a3f5d9a11';

  const marker = makeMarker(installation, { jobId, slice: 12, attempt: 3 }, '0123456789abcdef');

  expect(marker).toMatch(/^xp1-12345678-[-0-9a-f]{36}-12-3-0123456789abcdef[0-9a-f]{16}$/);
  expect(jobOfMarker(marker)).toBe(jobId);
});

test.for([undefined, '', 'checkout', 'xp1-', 'xp1-a-b', 'xp2-a-b-c-d-e-f'])(
  'the name %s contains no job id',
  (taskName) => {
    expect(jobOfMarker(taskName)).toBeUndefined();
  },
);

test('a marker belongs only to the installation that signed it, and only with every digit unchanged', () => {
  const marker = makeMarker(installation, { jobId: 'job', slice: 0, attempt: 1 }, 'abc');
  const others = [
    marker.replace('job', 'jog'),
    `${marker.slice(0, -1)}${marker.endsWith('0') ? '1' : '0'}`,
    marker.slice(0, -1),
    `${marker}0`,
    'xp1-12345678-gone-0-1-0123456789abcdef',
    'é',
    '',
  ];

  expect(isOwnMarker(installation, marker)).toBe(true);
  expect(isOwnMarker({ ...installation, secret: 'another' }, marker)).toBe(false);
  expect(others.filter((other) => isOwnMarker(installation, other))).toEqual([]);
});
