import type { ProblemSlug } from '#problems/catalogue.ts';

/** The operations of CloudWatch Logs this service calls. */
export type Operation =
  | 'CreateExportTask'
  | 'DescribeExportTasks'
  | 'CancelExportTask'
  | 'DescribeLogGroups'
  | 'FilterLogEvents'
  | 'StartQuery'
  | 'GetQueryResults';

/** A call whose errors have a meaning. The operations of each of the other services share theirs. */
export type MeaningfulCall = Operation | 'S3' | 'KMS' | 'SNS' | 'EventBridge';

/** Maps an error of AWS to a problem per operation. The first row that matches applies. */
export interface Meaning {
  readonly code: string;
  /** Restricts the row to matching messages: the same text arrives with several codes. */
  readonly message?: RegExp;
  readonly problems: Partial<Record<MeaningfulCall, ProblemSlug>>;
  /** Whether the message may be shown: it is about the caller's values, not about the role. */
  readonly isMessagePublic?: true;
}

const everywhere = (slug: ProblemSlug) => ({
  CreateExportTask: slug,
  DescribeExportTasks: slug,
  CancelExportTask: slug,
  DescribeLogGroups: slug,
  FilterLogEvents: slug,
  StartQuery: slug,
  GetQueryResults: slug,
  S3: slug,
  KMS: slug,
  SNS: slug,
  EventBridge: slug,
});

/** Whether a message of AWS is about a KMS key, and not about the bucket. */
export const isAboutKey = (message: string): boolean => /\bkms\b|key policy/i.test(message);

const bucketOrKeyPolicy =
  /granted permission to perform this operation|granted s3:PutObject|\bkms\b|key policy/i;
// The message for a bucket in another Region is not recorded. Only words may be between the two: a prefix that AWS
// quotes can contain both.
const bucketMissing = /given bucket does not exist|\bbucket [a-z ]{0,60}\bregion\b/i;

/**
 * The problem for each error of AWS. Codes and messages were recorded against AWS, or are in its service
 * model. A message about a bucket policy came with InvalidParameterException in 2023 and with
 * AccessDeniedException in 2026, so the message decides before the code.
 */
export const errorMeanings: readonly Meaning[] = [
  ...['InvalidParameterException', 'AccessDeniedException'].map((code) => ({
    code,
    message: bucketOrKeyPolicy,
    problems: { CreateExportTask: 'destination-not-writable' } as const,
    isMessagePublic: true as const,
  })),
  {
    code: 'InvalidParameterException',
    message: bucketMissing,
    problems: { CreateExportTask: 'destination-not-found' },
    isMessagePublic: true,
  },
  {
    code: 'InvalidParameterException',
    problems: everywhere('invalid-parameter'),
    isMessagePublic: true,
  },
  { code: 'ValidationException', problems: everywhere('invalid-parameter'), isMessagePublic: true },
  // From STS, about the policy of a scoped session. It is made from the caller's values.
  ...['PackedPolicyTooLargeException', 'MalformedPolicyDocumentException'].map((code) => ({
    code,
    problems: { CreateExportTask: 'invalid-parameter' } as const,
    isMessagePublic: true as const,
  })),
  {
    code: 'ResourceNotFoundException',
    problems: {
      CreateExportTask: 'log-group-not-found',
      CancelExportTask: 'export-task-not-found',
      FilterLogEvents: 'log-group-not-found',
      StartQuery: 'log-group-not-found',
    },
    isMessagePublic: true,
  },
  {
    code: 'ResourceAlreadyExistsException',
    problems: { CreateExportTask: 'resource-already-exists' },
    isMessagePublic: true,
  },
  {
    code: 'OperationAbortedException',
    problems: { CreateExportTask: 'operation-aborted', CancelExportTask: 'operation-aborted' },
    isMessagePublic: true,
  },
  {
    code: 'InvalidOperationException',
    problems: { CancelExportTask: 'export-task-already-finished' },
    isMessagePublic: true,
  },
  {
    code: 'LimitExceededException',
    problems: { ...everywhere('aws-throttled'), CreateExportTask: 'export-slot-taken' },
  },
  { code: 'ThrottlingException', problems: everywhere('aws-throttled') },
  { code: 'Throttling', problems: everywhere('aws-throttled') },
  { code: 'TooManyRequestsException', problems: everywhere('aws-throttled') },
  { code: 'AccessDeniedException', problems: everywhere('service-role-not-permitted') },
  { code: 'AccessDenied', problems: everywhere('service-role-not-permitted') },
  { code: 'AuthorizationErrorException', problems: { SNS: 'service-role-not-permitted' } },
  { code: 'ThrottledException', problems: { SNS: 'aws-throttled' } },
  ...['NoSuchBucket', 'PermanentRedirect', 'AuthorizationHeaderMalformed'].map((code) => ({
    code,
    problems: { S3: 'destination-not-found' } as const,
    isMessagePublic: true as const,
  })),
  { code: 'NoSuchKey', problems: { S3: 'aws-unexpected' }, isMessagePublic: true },
  ...['ConditionalRequestConflict', 'OperationAborted'].map((code) => ({
    code,
    problems: { S3: 'operation-aborted' } as const,
    isMessagePublic: true as const,
  })),
  { code: 'SlowDown', problems: { S3: 'aws-throttled' } },
  { code: 'ServiceUnavailableException', problems: everywhere('aws-unavailable') },
  ...[
    'UnrecognizedClientException',
    'ExpiredTokenException',
    'ExpiredToken',
    'InvalidSignatureException',
    'SignatureDoesNotMatch',
    'IncompleteSignature',
    'InvalidClientTokenId',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'NotAuthorized',
    'OptInRequired',
    'RequestExpired',
    'RequestTimeTooSkewed',
    'InvalidAccessKeyId',
    'InvalidToken',
    // From the SDK or credentials.ts, before anything is sent:
    'CredentialsProviderError',
    'CredentialsRefused',
    'CallerRefused',
  ].map((code) => ({ code, problems: everywhere('service-role-unusable') })),
  { code: 'CredentialsUnavailable', problems: everywhere('aws-unavailable') },
];
