import type { Evidence, Violation } from './checker.ts';

/** A call of a client to the API, and what came back of it. */
export interface ClientCall {
  /** Of a POST of a job. */
  idempotencyKey?: string;
  caller: string;
  /** Undefined when the answer was lost. */
  status: number | undefined;
  jobId?: string;
  contentType?: string;
  retryAfter?: string;
}

/** One key, one job; and a no is always a proper one. */
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
      const text = `key ${key} stands for ${[...ids].join(' and ')}`;
      return [{ invariant: 'INV6', kind: 'duplicated', text }];
    }),
    ...calls.filter(isImproper).map(
      ({ status, contentType, retryAfter }): Violation => ({
        invariant: 'INV9',
        kind: 'unlawful',
        text: `an answer ${status} as ${contentType}, Retry-After ${retryAfter}`,
      }),
    ),
  ];
}

function isImproper({ status = 0, contentType, retryAfter }: ClientCall): boolean {
  if (status < 400) return false;
  if (!contentType?.startsWith('application/problem+json')) return true;
  return status >= 500 && (status !== 503 || retryAfter === undefined);
}
