import { expect, test } from 'vitest';

import { showPosition } from '#export-jobs/presenters/show-job.ts';
import { Problem } from '#problems/problem.ts';

test('a position has estimates only while nothing keeps the target from starting slices', () => {
  const position = { position: 2, estimatedStartAt: 0, estimatedEndAt: 1_000 };

  const open = showPosition(position, '');
  const closed = showPosition({ ...position, problem: new Problem('not-ready', 'x') }, '');

  expect(Object.keys(open)).toEqual(['position', 'estimatedStartAt', 'estimatedEndAt']);
  expect(Object.keys(closed)).toEqual(['position', 'problem']);
});
