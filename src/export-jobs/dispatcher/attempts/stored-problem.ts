import type { ProblemSlug } from '#problems/catalogue.ts';
import type { Problem } from '#problems/problem.ts';
import type { SliceProblem } from '../../export-job.ts';

/**
 * The part of a problem that is stored with a slice. A slice has no request, so none of its members.
 */
export function toStored({ slug, kind, detail, members }: Problem): SliceProblem {
  const { title, isRetryable } = kind;
  const { awsErrorCode, awsRequestId, bucketPolicy, remedy = kind.remedy } = members;
  return {
    type: `/problems/${slug}`,
    title,
    detail,
    isRetryable,
    remedy,
    ...(awsErrorCode !== undefined && { awsErrorCode }),
    ...(awsRequestId !== undefined && { awsRequestId }),
    ...(bucketPolicy !== undefined && { bucketPolicy }),
  };
}

/** The detail of a slice whose caller STS has refused. It says nothing about the slices of others. */
export const callerRefused =
  'AWS STS refused a session of the service role with the name of the caller.';

/** The slug of a stored problem. */
export function slugOf({ type }: SliceProblem): ProblemSlug {
  return type.slice('/problems/'.length) as ProblemSlug;
}
