import { inDigits, statedLimits } from '../limits.ts';
import { type ProblemKind, retryTheJob } from './problem-kind.ts';

/** What is refused because of the caller, the rate or the load. */
export const accessProblems = {
  unauthenticated: {
    status: 401,
    title: 'Authentication required',
    explanation:
      'The request has no credentials, or this service does not accept them. If credentials were sent, the `error` parameter of `WWW-Authenticate` says why they were refused.',
    remedy:
      'Send the credential that `WWW-Authenticate` names: a token, an API key or a client certificate. A token must come from a trusted issuer, name this service as its audience and not be expired.',
    isRetryable: false,
  },
  'not-permitted': {
    status: 403,
    title: 'Permission denied by policy',
    explanation:
      'The policies of this service decide what each caller may export and to which bucket. They also decide to which webhook origins the events of a caller may be sent. No policy permits this request, or a policy forbids it. If you may not read, cancel or retry a job, that request is answered with export-job-not-found instead. For a task, it is export-task-not-found. If you may retry a job, but the policies no longer permit its exports, the retry gets this problem. The policies are checked again before each slice starts: a slice fails if they no longer permit it.',
    remedy: `Check the log group, the bucket and the prefix, or the origin of the webhook endpoint. Ask the authors of the policies: POST /authorization-checks shows them which policies decide. Once the policies permit the request, send it again. ${retryTheJob}`,
    isRetryable: false,
  },
  'rate-limited': {
    status: 429,
    title: 'Rate limit exceeded',
    explanation: `Each caller has two limits per minute: one for creates and one for all other requests. A create is a request that creates, changes or deletes something, except the cancel of a job or task. A dry run and POST /preflights are creates, too. The header \`RateLimit-Policy\` has the limit. \`RateLimit\` has the number of requests left. A test of a webhook endpoint is also refused while ${statedLimits.pendingAtTest} tests of it are pending.`,
    remedy:
      'Wait as many seconds as `Retry-After` says, then send the request again. Do not poll to follow a job: use the parameter `wait` or the event stream.',
    isRetryable: true,
    retryAfterSeconds: 60,
  },
  'too-many-bodies': {
    status: 429,
    title: 'Too many request body bytes in flight',
    explanation: `The request bodies of one caller have a limit of ${inDigits(statedLimits.callerBodiesBytes)} bytes in flight. The forms of the sign-in and the sign-out have a smaller limit for each address. Small forms do not count. A body is in flight from its first byte until the answer to its request. A chunked body has no known length. So it counts with the maximum size that its operation accepts.`,
    remedy:
      'Send fewer large requests at once. Send this one again after as many seconds as `Retry-After` says.',
    isRetryable: true,
    retryAfterSeconds: 1,
  },
  overloaded: {
    status: 503,
    title: 'Service overloaded',
    explanation:
      'The service refuses new requests so that it can finish those in progress. It refuses creates first: requests that create, change or delete something, except cancels. If the load rises further, it also refuses cancels and reads.',
    remedy:
      'Wait as many seconds as `Retry-After` says, then send the request again. Another replica may answer it.',
    isRetryable: true,
    retryAfterSeconds: 2,
  },
} as const satisfies Record<string, ProblemKind>;
