import type { Evidence, Violation } from './checker.ts';

/** A call of a client to the API, and its answer. */
export interface ClientCall {
  /** Present for a POST of a job. */
  idempotencyKey?: string;
  caller: string;
  /** Undefined when the answer was lost. */
  status: number | undefined;
  jobId?: string;
  contentType?: string;
  retryAfter?: string;
}

/** One job per idempotency key; each error is a problem, and each 503 has Retry-After. */
export function checkCalls({ calls, idempotencyKeys }: Evidence): Violation[] {
  const accepted = calls.filter(({ status, idempotencyKey }) => status === 202 && idempotencyKey);
  const keyed = Map.groupBy(
    accepted,
    ({ caller, idempotencyKey }) => `${caller} ${idempotencyKey}`,
  );
  const rows = new Map(idempotencyKeys.map((row) => [`${row.caller} ${row.key}`, row.jobId]));
  return [
    ...[...keyed].flatMap(([key, answers]): Violation[] => {
      const ids = new Set([rows.get(key), ...answers.map(({ jobId }) => jobId)]);
      if (ids.size === 1) return [];
      const text = `key ${key} belongs to ${[...ids].join(' and ')}`;
      return [{ invariant: 'INV6', kind: 'duplicated', text }];
    }),
    ...calls.filter(isImproper).map(
      ({ status, contentType, retryAfter }): Violation => ({
        invariant: 'INV9',
        kind: 'unlawful',
        text: `answer ${status} with ${contentType}, Retry-After ${retryAfter}`,
      }),
    ),
  ];
}

function isImproper({ status = 0, contentType, retryAfter }: ClientCall): boolean {
  if (status < 400) return false;
  if (!contentType?.startsWith('application/problem+json')) return true;
  return status >= 500 && (status !== 503 || retryAfter === undefined);
}
