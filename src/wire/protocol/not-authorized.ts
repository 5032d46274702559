import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import { type AwsError, awsError } from './aws-error.ts';
import type { WireOperation } from './operations.ts';

/** Makes the refusal of an operation in the words of IAM. `resource` is an ARN. */
export function notAuthorized(
  { principal }: Pick<CallerRequest, 'principal'>,
  operation: WireOperation,
  resource: string,
): AwsError {
  return awsError(
    'AccessDeniedException',
    `User: ${principal.id} is not authorized to perform: logs:${operation} on resource: ${resource}`,
  );
}
