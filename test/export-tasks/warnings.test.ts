import { expect, test } from 'vitest';

import { warningsOfSlashes } from '#export-tasks/creating/warnings.ts';

test.for(['a', 'a/b', '{logGroup}/{dd}', ''])('the prefix %j has no warning', (prefix) => {
  expect(warningsOfSlashes(prefix)).toEqual([]);
});

test.for([
  ['/a', 'Write "a".'],
  ['a/', 'Write "a".'],
  ['a//b', 'Write "a/b".'],
  ['//a///{dd}//', 'Write "a/{dd}".'],
  ['//', 'Leave the prefix out.'],
] as const)('the prefix %j has a warning: %s', ([prefix, advice]) => {
  const detail = `A slash at an end, or two in a row, makes a folder without a name in S3. ${advice}`;

  expect(warningsOfSlashes(prefix)).toEqual([{ pointer: '#/destinationPrefix', detail }]);
});
