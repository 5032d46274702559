import { toAwsProblem } from '#aws/error-meaning.ts';
import { Problem } from '#problems/problem.ts';

/** Why an account cannot be used, and whether that can be an outage of STS. */
export interface AccountProblem {
  problem: Problem;
  isOutage: boolean;
}

const repeated = 'The service checks the target again within a minute.';

/** Translates the failure of an account check. The error is the `cause`, which is never shown. */
export function toAccountProblem(error: Error): AccountProblem {
  const { slug } = toAwsProblem('DescribeExportTasks', error);
  const cause = toFacts(error);
  const isRefused = slug === 'service-role-unusable' || slug === 'service-role-not-permitted';
  if (isRefused || isWithoutCredentials(error)) {
    const detail =
      'AWS STS refused the service role of this target, or the service has no credentials. Nothing is sent for this target.';
    const remedy = `Ask the operator of the service to check the role of this target: whether it exists, its trust policy and its external id. ${repeated}`;
    return {
      problem: new Problem('service-role-unusable', detail, { cause, remedy }),
      isOutage: false,
    };
  }
  const detail =
    'AWS STS did not confirm the account of this target, because it is unavailable or did not answer in time. Nothing is sent for this target.';
  const remedy = `Wait as many seconds as \`Retry-After\` says, then send the request again. ${repeated}`;
  return { problem: new Problem('aws-unavailable', detail, { cause, remedy }), isOutage: true };
}

/** Whether the service has no credentials with which it could assume the role. */
function isWithoutCredentials({ cause }: Error): boolean {
  return cause instanceof Error && cause.name === 'CredentialsProviderError';
}

/**
 * What the log needs of an error. The whole error of the SDK has stacks and an answer, which take 15 KiB:
 * a thousand broken targets would keep as many.
 */
function toFacts(error: Error): Error {
  const { name, message, cause, $metadata } = error as Error & { $metadata?: object };
  return Object.assign(Object.create(Error.prototype), {
    name,
    message,
    ...($metadata && { $metadata }),
    ...(cause instanceof Error && { cause: toFacts(cause) }),
  });
}

/** The problem of a target whose credentials belong to another account than the configured one. */
export const otherAccount = (configured: string, found: string) =>
  new Problem(
    'target-misconfigured',
    'The credentials of this target belong to another account than the configured one.',
    { cause: new Error(`configured: account ${configured}; credentials: account ${found}`) },
  );

/** The problem of a target that has the account and Region of another one before it. */
export const sharedSlot = (other: string) =>
  new Problem(
    'target-misconfigured',
    'Another target before this one has the same account and Region. AWS runs one export task at a time there, so only the first of them is used.',
    { cause: new Error(`the first of them is ${other}`) },
  );
