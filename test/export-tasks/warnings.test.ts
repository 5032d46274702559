import { expect, test } from 'vitest';

import { warningsOfSlashes } from '#export-tasks/creating/warnings.ts';

test.for(['a', 'a/b', '{logGroup}/{dd}', ''])('the prefix %j has no warning', (prefix) => {
  expect(warningsOfSlashes(prefix)).toEqual([]);
});

test.for([
  ['/a', 'Use "a" instead.'],
  ['a/', 'Use "a" instead.'],
  ['a//b', 'Use "a/b" instead.'],
  ['//a///{dd}//', 'Use "a/{dd}" instead.'],
  ['//', 'Omit the prefix.'],
] as const)('the prefix %j has a warning: %s', ([prefix, advice]) => {
  const detail = `A slash at the beginning or end, or two in a row, creates a folder without a name in S3. ${advice}`;

  expect(warningsOfSlashes(prefix)).toEqual([{ pointer: '#/destinationPrefix', detail }]);
});
