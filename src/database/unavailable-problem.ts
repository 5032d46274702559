import { Problem } from '#problems/problem.ts';

/** Makes the problem of a database that is unavailable. The cause appears only in the log. */
export function databaseUnavailable(detail: string, cause?: unknown): Problem {
  return new Problem('database-unavailable', detail, { cause });
}

/** Whether an error means that the database is unavailable. */
export function isUnavailable(error: unknown): error is Problem {
  return error instanceof Problem && error.slug === 'database-unavailable';
}

/** The error code of the database or of the connection to it. */
export function codeOf(error: unknown): string | undefined {
  const failure = isUnavailable(error) ? error.cause : error;
  return (failure as { code?: string } | undefined)?.code;
}
