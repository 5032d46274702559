import { expect, test } from 'vitest';

import { countEvents, whyNotCounted } from '#export-jobs/verification/count/count-events.ts';
import { Problem } from '#problems/problem.ts';

type Logs = Parameters<typeof countEvents>[0];
type Results = Awaited<ReturnType<Logs['readQuery']>>;

const range = { fromAt: 1_500, toAt: 2_500, submittedAt: 12 * 3_600_000 + 3_000 };
const window = { logGroupName: '/shop', logStreamNamePrefix: 'a.b', ...range };
const denied = new Problem('service-role-not-permitted', 'AWS denied it.');

/** Counts with answers that AWS gives seldom, and records what was asked and how long it waited. */
async function count(
  answers: readonly (Partial<Results> | Problem)[],
  logStreamNamePrefix = 'a.b',
) {
  const pauses: number[] = [];
  const queries: unknown[] = [];
  let reads = 0;
  const logs = {
    startQuery: async (query: unknown) => {
      queries.push(query);
      return { queryId: 'query-1' };
    },
    readQuery: async () => {
      const answer = answers[Math.min(reads, answers.length - 1)];
      reads += 1;
      if (answer instanceof Problem) throw answer;
      return { rows: [], ...answer };
    },
  } as unknown as Logs;
  const { signal } = new AbortController();
  const counted = countEvents(
    logs,
    { ...window, logStreamNamePrefix: logStreamNamePrefix || null },
    { options: { signal } as never, sleep: async (ms) => void pauses.push(ms) },
  );
  const result = await counted.catch((problem: Problem) => problem);
  return { result, pauses, queries };
}

test('waits longer before each read until the query completes, and returns its count', async () => {
  const { result, pauses, queries } = await count([
    { status: 'Scheduled' },
    { status: 'Running' },
    { status: 'Unknown' },
    { status: 'Running' },
    { status: 'Running' },
    { status: 'Complete', rows: [{ events: '42' }] },
  ]);

  expect(result).toBe(42);
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 5_000]);
  const filters = 'filter @ingestionTime <= 3000 | filter @logStream like /^a\\.b/';
  expect(queries).toMatchObject([
    { from: 1, to: 3, queryString: expect.stringContaining(filters) },
  ]);
});

test('returns zero for a query without rows, over all log streams', async () => {
  const { result, queries } = await count([{ status: 'Complete' }], '');

  expect(result).toBe(0);
  expect(queries).not.toMatchObject([{ queryString: expect.stringContaining('@logStream') }]);
});

test.each([{}, { events: '' }, { events: 'many' }])(
  'throws aws-unexpected for a row without a count: %j',
  async (row) => {
    const { result } = await count([{ status: 'Complete', rows: [row] }]);

    expect(result).toMatchObject({ slug: 'aws-unexpected' });
  },
);

test('throws that AWS did not end a query that runs for too long', async () => {
  const { result, pauses } = await count([{ status: 'Running' }]);

  expect(result).toMatchObject({ slug: 'aws-timeout' });
  expect(pauses).toHaveLength(900);
});

test('names the action that AWS denied when the query was to start', async () => {
  const logs = { startQuery: () => Promise.reject(denied) } as unknown as Logs;
  const options = { signal: new AbortController().signal } as never;

  const result = await countEvents(logs, window, { options, sleep: async () => {} });

  expect(result).toMatchObject({ outcome: 'not-counted', deniedAction: 'logs:StartQuery' });
});

test('names the action that AWS denied while the query was read', async () => {
  const { result } = await count([denied]);

  expect(result).toMatchObject({ outcome: 'not-counted', deniedAction: 'logs:GetQueryResults' });
});

test.each(['Failed', 'Cancelled', 'Timeout'] as const)(
  'does not count with a query that is %s',
  async (status) => {
    const { result } = await count([{ status } as Partial<Results>]);

    expect(JSON.stringify(result)).toContain('aws-unexpected');
  },
);

test('throws again what a repeat can change, and what is no problem', () => {
  const why = whyNotCounted('logs:StartQuery');

  expect(() => why(new Problem('aws-timeout', 'No answer.'))).toThrow('No answer.');
  expect(() => why(new Problem('aws-unexpected', 'From a proxy.'))).toThrow('From a proxy.');
  expect(() => why(new TypeError('broken'))).toThrow(TypeError);
});
