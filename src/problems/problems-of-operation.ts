import type { ProblemSlug } from './catalogue.ts';

/** What of a route decides on its problems. */
interface Route {
  method: string | readonly string[];
  schema?:
    | { body?: unknown; querystring?: unknown; params?: unknown; headers?: unknown }
    | undefined;
  config?: { problems?: readonly ProblemSlug[]; action?: string } | undefined;
}

const everyRequest = [
  'malformed-request',
  'not-acceptable',
  'request-timeout',
  'url-too-long',
  'expectation-failed',
  'host-not-allowed',
  'headers-too-large',
  'internal-error',
] as const satisfies readonly ProblemSlug[];

const everyBody = [
  'malformed-body',
  'body-too-large',
  'unsupported-media-type',
] as const satisfies readonly ProblemSlug[];

// An operation with an action is not for everybody.
const everyAction = [
  'unauthenticated',
  'rate-limited',
  'overloaded',
  'not-ready', // the keys of who issued its token may not be there yet
] as const satisfies readonly ProblemSlug[];

/** The problems that any call to AWS for a target may return. */
export const awsCallProblems = [
  'invalid-parameter',
  'service-role-not-permitted',
  'target-not-found',
  'target-misconfigured',
  'aws-throttled',
  'aws-call-budget-exhausted',
  'service-role-unusable',
  'aws-unexpected',
  'aws-unavailable',
  'not-ready',
] as const satisfies readonly ProblemSlug[];

/** Every problem an operation may answer: its own, and what follows from its method and schema. */
export function declaredProblems({ method, schema, config }: Route): ProblemSlug[] {
  const isChange = method !== 'GET' && method !== 'HEAD';
  const rules = schema?.body ?? schema?.querystring ?? schema?.params ?? schema?.headers;
  const all = [
    ...everyRequest,
    ...(isChange ? (['origin-not-allowed', ...everyBody] as const) : []),
    ...(config?.action === undefined ? [] : everyAction),
    ...(isChange && config?.action !== undefined ? (['too-many-bodies'] as const) : []),
    // Other operations answer as if what the caller may not see did not exist.
    ...(schema?.body && config?.action !== undefined ? (['not-permitted'] as const) : []),
    ...(rules ? (['invalid-request'] as const) : []),
    ...(config?.problems ?? []),
  ];
  return [...new Set(all)];
}
