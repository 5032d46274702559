import type { ProblemKind } from './problem-kind.ts';

/** What is said no to because of who asks, how often, and how much. */
export const accessProblems = {
  unauthenticated: {
    status: 401,
    title: 'It is not known who is calling',
    explanation:
      'The request has no credentials, or none that are accepted. Why they are not is told in the error code of WWW-Authenticate and in no more detail.',
    remedy:
      'Send what WWW-Authenticate asks for: a token of an issuer this service trusts, meant for it and not expired; an API key; or a client certificate.',
    isRetryable: false,
  },
  'not-permitted': {
    status: 403,
    title: 'No policy permits this',
    explanation:
      'The policies of this service say who may export what where. None permits you this, or one forbids it.',
    remedy:
      'Check log group, destination and prefix. Who writes the policies can ask POST /authorization-checks what decides.',
    isRetryable: false,
  },
  'rate-limited': {
    status: 429,
    title: 'You send more requests than you may',
    explanation:
      'Each caller may send so many creates, and so many other requests, in a minute. RateLimit says how many are left, RateLimit-Policy how many there are.',
    remedy: 'Send it again after Retry-After. To follow a job, wait for news instead of polling.',
    isRetryable: true,
    retryAfterSeconds: 60,
  },
  'too-many-bodies': {
    status: 429,
    title: 'Too many bytes of request bodies in flight',
    explanation:
      'The bodies of one caller may have 2,097,152 bytes in flight. A body is in flight from its first byte until its request is answered. One sent in chunks counts as the largest body that its operation takes.',
    remedy: 'Send fewer large requests at once, and send this one again after Retry-After.',
    isRetryable: true,
    retryAfterSeconds: 1,
  },
  overloaded: {
    status: 503,
    title: 'The gateway has more to do than it can',
    explanation:
      'So that what is under way ends in time, new requests are turned away: creates first, cancels and reads last.',
    remedy: 'Send it again after Retry-After, which may lead to another replica.',
    isRetryable: true,
    retryAfterSeconds: 2,
  },
} as const satisfies Record<string, ProblemKind>;
