import { Problem } from './problem.ts';

/** What of a create decides whether it may be repeated. */
interface CreateRequest {
  headers: { 'idempotency-key'?: unknown };
  query: unknown;
}

/**
 * Marks a create as not repeatable if it may have been stored: a database that does not answer may have
 * stored it. Without a key, a repeat would then create a second one. The rotation of a secret is such a create.
 */
export function withRepeatability(problem: Problem, { headers, query }: CreateRequest): Problem {
  const { slug, detail, members } = problem;
  const hasKey = headers['idempotency-key'] !== undefined;
  const { dryRun = false } = query as { dryRun?: boolean };
  if (slug !== 'database-unavailable' || hasKey || dryRun) return problem;
  return new Problem(slug, detail, { ...members, isRetryable: false });
}
