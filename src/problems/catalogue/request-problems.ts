import { inDigits, inWords, statedLimits } from '../limits.ts';
import type { ProblemKind } from './problem-kind.ts';

/** What this service refuses by itself: AWS was not called. */
export const requestProblems = {
  'malformed-request': {
    status: 400,
    title: 'Malformed HTTP request',
    explanation:
      'The request is not valid HTTP/1.1. The request line, a header or a chunk is broken, or the URL cannot be decoded.',
    remedy: 'Send the request with an HTTP client library, and percent-encode the URL.',
    isRetryable: false,
  },
  'malformed-body': {
    status: 400,
    title: 'Malformed JSON body',
    explanation:
      'The body must be one JSON text (RFC 8259) in UTF-8. A member `__proto__` is rejected. A member `constructor` is rejected if it has a member `prototype`.',
    remedy:
      'Send well-formed JSON in UTF-8, without a member `__proto__`, and without a member `prototype` in `constructor`.',
    isRetryable: false,
  },
  'invalid-request': {
    status: 400,
    title: 'Invalid request',
    explanation:
      'At least one member of the body, query, path or headers breaks a rule of this operation. `errors` has one entry for each broken rule, with a JSON pointer to the member. AWS was not called.',
    remedy: 'Correct each member that `errors` names, then send the request again.',
    isRetryable: false,
  },
  'no-such-route': {
    status: 404,
    title: 'Unknown path',
    explanation:
      'No operation of this service has this path, or the operator has disabled the operation. With EXPORT_JOBS=off, export jobs, archives, coverage and webhook endpoints are disabled. With WEBHOOKS=off, webhook endpoints are disabled.',
    remedy:
      'Check the path: GET /openapi.json and GET /docs list the operations. If an operation is not there, ask the operator of this service whether it is disabled.',
    isRetryable: false,
  },
  'target-not-found': {
    status: 404,
    title: 'Target not found',
    explanation:
      'A target is an AWS account and Region in which this service exports. No target with this name exists, or you are not allowed to see it.',
    remedy: 'Use a name from GET /targets, or omit the `target` parameter to use the first target.',
    isRetryable: false,
  },
  'problem-not-found': {
    status: 404,
    title: 'Problem not found',
    explanation: 'The catalogue of problems has no entry with this name.',
    remedy: 'Read GET /problems for the list of problems.',
    isRetryable: false,
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    explanation: 'This path has operations, but none with this HTTP method.',
    remedy: 'Use a method from the `Allow` header.',
    isRetryable: false,
  },
  'not-acceptable': {
    status: 406,
    title: 'No acceptable media type',
    explanation:
      'The `Accept` header excludes every media type of this operation. `detail` lists them. Most operations answer with application/json. Errors have the media type application/problem+json.',
    remedy: 'Send `Accept` with a media type that `detail` names, or omit the header.',
    isRetryable: false,
  },
  'request-timeout': {
    status: 408,
    title: 'Request timeout',
    explanation: `The request did not arrive in time. The headers must be complete within ${inWords(statedLimits.headersMs)}, and the whole request within ${inWords(statedLimits.requestMs)}.`,
    remedy: 'Send the request again, without pauses.',
    isRetryable: true,
  },
  'body-too-large': {
    status: 413,
    title: 'Request body too large',
    explanation: `The limit is ${inDigits(statedLimits.bodyBytes)} bytes. For an export job, an archive or a backfill, it is ${inDigits(statedLimits.jobBodyBytes)} bytes. The members and array items of a body together can be at most ${inDigits(statedLimits.bodyValues)}. A body can have at most ${statedLimits.bodyDepth} levels of nesting. \`detail\` has the limit that this body exceeds.`,
    remedy:
      'Send a smaller body. Instead of one large job, create several, or use `logGroupNamePrefix`. For POST /authorization-checks, send only those user groups and claims of the caller that the policies use.',
    isRetryable: false,
  },
  'url-too-long': {
    status: 414,
    title: 'URL too long',
    explanation: `Path and query together have a limit of ${inDigits(statedLimits.urlBytes)} bytes.`,
    remedy: 'Send a shorter URL.',
    isRetryable: false,
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    explanation: 'A body must be application/json in UTF-8, without a content coding such as gzip.',
    remedy: 'Send `Content-Type: application/json`, and omit `Content-Encoding`.',
    isRetryable: false,
  },
  'expectation-failed': {
    status: 417,
    title: 'Unsupported Expect header',
    explanation: 'This service supports no expectation except `100-continue`.',
    remedy: 'Omit the `Expect` header.',
    isRetryable: false,
  },
  'host-not-allowed': {
    status: 421,
    title: 'Host not allowed',
    explanation:
      'The name in the `Host` header is not in the setting ALLOWED_HOSTS of this service. If ALLOWED_HOSTS is not set, the service allows any name. There is one exception: `AUTH` is `none` and the service listens on a loopback address. Then only loopback names such as localhost, 127.0.0.1 and [::1] are allowed. The check protects against DNS rebinding, where a page in a local browser calls the service under another name.',
    remedy:
      'Ask the operator of the service to add the name to ALLOWED_HOSTS. If the service runs on your machine without ALLOWED_HOSTS, use http://localhost with its port instead.',
    isRetryable: false,
  },
  'origin-not-allowed': {
    status: 403,
    title: 'Origin not allowed',
    explanation:
      'A page of another origin made the browser send a CORS preflight, or a POST, PATCH or DELETE request. The headers `Sec-Fetch-Site` and `Origin` show this. That origin is not in the setting CORS_ORIGINS of this service. CORS is off if the setting is empty.',
    remedy:
      'Ask the operator of the service to add exactly this origin to CORS_ORIGINS. Or call the service from your own server. If the page is the Swagger UI of this service, a reverse proxy has changed the `Host` header. Then ask the operator to configure the proxy so that it forwards `Host` unchanged.',
    isRetryable: false,
  },
  'headers-too-large': {
    status: 431,
    title: 'Request headers too large',
    explanation: `Request line and headers together have a limit of ${inDigits(statedLimits.headerBytes)} bytes.`,
    remedy: 'Send fewer or smaller headers.',
    isRetryable: false,
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    explanation:
      'The service failed because of a defect. `instance` of the error has the request id. The log line with this id has the cause.',
    remedy: 'Report the error to the operator of the service, with the value of `instance`.',
    isRetryable: false,
  },
  'target-misconfigured': {
    status: 502,
    title: 'Target misconfigured',
    explanation:
      'The configuration of the target is wrong. Its credentials may be of another AWS account than configured. Or a target before it in TARGETS_FILE has the same account and Region. The service sends nothing for this target. Other targets are not affected, also not the one before it.',
    remedy:
      'Ask the operator of the service to correct the target in TARGETS_FILE. The log of the service has both accounts, or the name of the other target. The correction takes effect without a restart.',
    isRetryable: false,
  },
  'not-ready': {
    status: 503,
    title: 'Service or target not ready',
    explanation:
      'The service is starting or stopping, or it has not checked the account of the target yet. At start, it checks the database and the accounts of the targets. A request with a token also has this problem until the service has fetched the keys of the token issuer. `detail` has the reason.',
    remedy: 'Wait as many seconds as `Retry-After` says, then send the request again.',
    isRetryable: true,
    retryAfterSeconds: 2,
  },
} as const satisfies Record<string, ProblemKind>;
