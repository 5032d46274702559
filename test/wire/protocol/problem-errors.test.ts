import { expect, test } from 'vitest';

import { catalogue, type ProblemSlug } from '#problems/catalogue.ts';
import { Problem } from '#problems/problem.ts';
import { toAwsError } from '#wire/protocol/problem-errors.ts';

const slugs = Object.keys(catalogue) as ProblemSlug[];
const codeOf = (slug: ProblemSlug) => {
  const { code, status } = toAwsError(new Problem(slug, 'What happened.'));
  return `${status} ${code}`;
};

test('every problem is an error of AWS, and nothing of its cause is in the text', () => {
  for (const slug of slugs) {
    const problem = new Problem(slug, 'What happened.', { cause: new Error('internal') });
    const { code, status, text = '' } = toAwsError(problem);

    expect(code).toMatch(/^[A-Z]\w+(?:Exception|Failure)$/);
    expect([400, 404, 413, 500, 503]).toContain(status);
    expect(text).not.toContain('internal');
  }
});

// SDKs repeat throttled calls and those with a 5xx, and no others.
test.each<[string, ProblemSlug[]]>([
  [
    '400 ThrottlingException',
    ['rate-limited', 'too-many-bodies', 'aws-throttled', 'aws-call-budget-exhausted'],
  ],
  [
    '503 ServiceUnavailableException',
    ['overloaded', 'not-ready', 'database-unavailable', 'aws-unavailable', 'aws-timeout'],
  ],
  ['500 InternalFailure', ['internal-error', 'aws-unexpected']],
  ['400 LimitExceededException', ['too-many-waiting-slices']],
  ['400 SerializationException', ['malformed-body']],
  ['400 AccessDeniedException', ['not-permitted', 'service-role-not-permitted']],
  ['400 ResourceNotFoundException', ['log-group-not-found', 'export-job-not-found']],
  ['400 InvalidOperationException', ['export-task-already-finished']],
  ['404 UnknownOperationException', ['unsupported-media-type', 'no-such-route']],
  ['400 InvalidParameterException', ['invalid-request', 'idempotency-key-reused']],
])('%s is the error of %o', (expected, problems) => {
  expect(problems.map(codeOf)).toEqual(problems.map(() => expected));
});
