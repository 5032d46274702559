import type { ProblemSlug } from '#problems/catalogue.ts';

/** The problems that any call to AWS for a target may return. */
export const awsCallProblems = [
  'invalid-parameter',
  'service-role-not-permitted',
  'target-not-found',
  'aws-throttled',
  'aws-call-budget-exhausted',
  'service-role-unusable',
  'aws-unexpected',
  'aws-unavailable',
  'not-ready',
] as const satisfies readonly ProblemSlug[];
