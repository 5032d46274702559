import { Problem } from '#problems/problem.ts';

/** The problem it is when the database cannot do its work now; the cause is for the log. */
export function databaseUnavailable(detail: string, cause?: unknown): Problem {
  return new Problem('database-unavailable', detail, { cause });
}

/** Whether it failed because the database cannot do its work now. */
export function isUnavailable(error: unknown): error is Problem {
  return error instanceof Problem && error.slug === 'database-unavailable';
}

/** The code the database itself, or the way to it, gave the failure. */
export function codeOf(error: unknown): string | undefined {
  const failure = isUnavailable(error) ? error.cause : error;
  return (failure as { code?: string } | undefined)?.code;
}
