import type { ProblemKind } from './problem-kind.ts';

/** What this service says no to by itself: AWS has not been asked. */
export const requestProblems = {
  'malformed-request': {
    status: 400,
    title: 'The bytes received are not an HTTP request',
    explanation:
      'The request could not be read as HTTP/1.1: a broken request line, header or chunk, or an undecodable URL.',
    remedy: 'Send the request with an HTTP client library, and percent-encode the URL.',
    isRetryable: false,
  },
  'malformed-body': {
    status: 400,
    title: 'The body is not JSON',
    explanation:
      'The body must be one JSON text (RFC 8259) in UTF-8. The members "__proto__" and "constructor.prototype" are refused.',
    remedy: 'Send well-formed JSON in UTF-8.',
    isRetryable: false,
  },
  'invalid-request': {
    status: 400,
    title: 'The request breaks a rule of this operation',
    explanation:
      'One or more members of the body, the query, the path or the headers are not as the operation needs them. errors[] has one entry for each, with a JSON pointer and what would be right. Nothing was sent to AWS.',
    remedy: 'Correct what errors[] names and send the request again.',
    isRetryable: false,
  },
  'no-such-route': {
    status: 404,
    title: 'There is nothing at this URL',
    explanation: 'No operation of this service has this path.',
    remedy: 'See GET /openapi.json or GET /docs for the operations there are.',
    isRetryable: false,
  },
  'target-not-found': {
    status: 404,
    title: 'There is no such target',
    explanation: 'A target is an AWS account and Region this gateway is configured for.',
    remedy: 'Use a name that GET /targets lists, or leave ?target= out for the first.',
    isRetryable: false,
  },
  'problem-not-found': {
    status: 404,
    title: 'There is no such problem',
    explanation: 'The catalogue of problems has no entry of that name.',
    remedy: 'See GET /problems for all of them.',
    isRetryable: false,
  },
  'method-not-allowed': {
    status: 405,
    title: 'This URL does not take this method',
    explanation: 'There is an operation at this URL, but under another HTTP method.',
    remedy: 'Use a method that the Allow header lists.',
    isRetryable: false,
  },
  'not-acceptable': {
    status: 406,
    title: 'No representation fits the Accept header',
    explanation:
      'Operations answer application/json, problems application/problem+json; the catalogue of problems also text/html.',
    remedy: 'Send Accept: application/json, or none.',
    isRetryable: false,
  },
  'request-timeout': {
    status: 408,
    title: 'The request did not arrive in time',
    explanation:
      'Headers must be complete within 5 seconds and the whole request within 10 seconds.',
    remedy: 'Send the request again, without pauses.',
    isRetryable: true,
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    explanation:
      'A body may have at most 65,536 bytes, that of POST /export-jobs 1,048,576; 4,096 members and items in all; and 16 levels of nesting. Every lawful request fits.',
    remedy: 'Send a smaller body.',
    isRetryable: false,
  },
  'url-too-long': {
    status: 414,
    title: 'The URL is too long',
    explanation: 'Path and query together may have at most 4,096 bytes.',
    remedy: 'Send a shorter URL.',
    isRetryable: false,
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body has a type this service does not read',
    explanation: 'Bodies are application/json in UTF-8, without a content coding such as gzip.',
    remedy: 'Send Content-Type: application/json, and no Content-Encoding.',
    isRetryable: false,
  },
  'expectation-failed': {
    status: 417,
    title: 'The Expect header cannot be met',
    explanation: 'The only expectation this service meets is 100-continue.',
    remedy: 'Leave the Expect header out.',
    isRetryable: false,
  },
  'host-not-allowed': {
    status: 421,
    title: 'Host not allowed',
    explanation:
      'The name in the Host header is none of those the service has (ALLOWED_HOSTS). Without callers to tell apart and on an address of this machine alone, these are localhost, 127.0.0.1 and [::1]: otherwise a page in a browser on this machine could call the service under a name of its own (DNS rebinding).',
    remedy: 'Use http://localhost with the port of the service, or add the name to ALLOWED_HOSTS.',
    isRetryable: false,
  },
  'origin-not-allowed': {
    status: 403,
    title: 'Origin not allowed',
    explanation:
      'A browser asked whether a script of another origin may call the service (a CORS preflight), or sent a POST for a page of another origin (Sec-Fetch-Site, Origin). CORS is off unless CORS_ORIGINS has origins; this one is not among them.',
    remedy:
      'Add exactly this origin to CORS_ORIGINS, or call the service from your own server. If the page is one of this service, let the proxy in front keep the Host header.',
    isRetryable: false,
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large',
    explanation: 'Request line and headers together may have at most 8,192 bytes.',
    remedy: 'Send fewer or smaller headers.',
    isRetryable: false,
  },
  'internal-error': {
    status: 500,
    title: 'The gateway has a defect',
    explanation:
      'Something failed that should not have. The log line with the request id has the cause.',
    remedy: 'Report it with the value of instance.',
    isRetryable: false,
  },
  'not-ready': {
    status: 503,
    title: 'The gateway is not ready',
    explanation:
      'It is starting (the account of every target is being checked with STS, the keys of who issues tokens are being fetched), or it is about to stop. detail says which.',
    remedy: 'Ask again after Retry-After seconds, or ask another replica.',
    isRetryable: true,
    retryAfterSeconds: 2,
  },
} as const satisfies Record<string, ProblemKind>;
