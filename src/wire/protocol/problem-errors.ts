import { type SignatureFault, signatureFaultOf } from '#auth/authentication/signature/refusals.ts';
import type { ProblemSlug } from '#problems/catalogue.ts';
import type { Problem } from '#problems/problem.ts';
import { type AwsError, awsError } from './aws-error.ts';

/** The error of AWS for a problem. */
interface ErrorKind {
  code: string;
  /** Default: 400. */
  status?: number;
  /** The text of AWS, or `null` where AWS has none. Default: the detail of the problem. */
  text?: string | null;
}

const throttled: ErrorKind = { code: 'ThrottlingException', text: 'Rate exceeded' };
const unavailable: ErrorKind = { code: 'ServiceUnavailableException', status: 503 };
const failed: ErrorKind = { code: 'InternalFailure', status: 500 };
const invalid: ErrorKind = { code: 'InvalidParameterException' };
const unknownOperation: ErrorKind = {
  code: 'UnknownOperationException',
  status: 404,
  text: null,
};
const malformedRequest: ErrorKind = { code: 'MalformedHttpRequestException' };
const denied: ErrorKind = { code: 'AccessDeniedException' };
const taskNotFound: ErrorKind = {
  code: 'ResourceNotFoundException',
  text: 'The specified export task does not exist.',
};

/** The errors that clients know how to treat. They repeat throttled and unavailable calls. */
const kinds: Partial<Record<ProblemSlug, ErrorKind>> = {
  'not-permitted': denied,
  'service-role-not-permitted': denied,
  'host-not-allowed': denied,
  'origin-not-allowed': denied,
  'rate-limited': throttled,
  'too-many-bodies': throttled,
  'aws-throttled': throttled,
  'aws-call-budget-exhausted': throttled,
  overloaded: unavailable,
  'not-ready': unavailable,
  'database-unavailable': unavailable,
  'aws-unavailable': unavailable,
  'aws-timeout': unavailable,
  'outcome-unknown': unavailable,
  'request-timeout': unavailable,
  'service-role-unusable': unavailable,
  'target-misconfigured': unavailable,
  'internal-error': failed,
  'aws-unexpected': failed,
  'too-many-waiting-slices': {
    code: 'LimitExceededException',
    text: 'Resource limit exceeded.',
  },
  'malformed-body': { code: 'SerializationException', text: null },
  'body-too-large': { code: 'RequestEntityTooLargeException', status: 413 },
  'malformed-request': malformedRequest,
  'url-too-long': malformedRequest,
  'headers-too-large': malformedRequest,
  'expectation-failed': malformedRequest,
  'unsupported-media-type': unknownOperation,
  'not-acceptable': unknownOperation,
  'no-such-route': unknownOperation,
  'log-group-not-found': {
    code: 'ResourceNotFoundException',
    text: 'The specified log group does not exist.',
  },
  'export-task-not-found': taskNotFound,
  'export-job-not-found': taskNotFound,
  'export-job-deleted': taskNotFound,
  'export-task-already-finished': {
    code: 'InvalidOperationException',
    text: 'The specified export task has already finished',
  },
  'destination-not-found': {
    code: 'InvalidParameterException',
    text: 'The given bucket does not exist. Please make sure the bucket is valid.',
  },
  'resource-already-exists': { code: 'ResourceAlreadyExistsException' },
  'operation-aborted': {
    code: 'OperationAbortedException',
    text: 'A conflicting operation is currently in progress against this resource. Please try again.',
  },
};

const codeOfFault: Record<SignatureFault, string> = {
  missing: 'MissingAuthenticationTokenException',
  malformed: 'MissingAuthenticationTokenException',
  'invalid-key': 'UnrecognizedClientException',
  'expired-key': 'ExpiredTokenException',
  'invalid-signature': 'InvalidSignatureException',
};

/** Returns the error of AWS for a problem. The text is public: it is that of AWS, or the detail. */
export function toAwsError(problem: Problem): AwsError {
  const fault = signatureFaultOf(problem);
  if (fault) return awsError(codeOfFault[fault], problem.detail);
  const { code, status, text } = kinds[problem.slug] ?? invalid;
  return awsError(code, text === null ? undefined : (text ?? problem.detail), status);
}
