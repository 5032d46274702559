import { randomUUID } from 'node:crypto';
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Database } from '#database/database.ts';
import type { PlannedJob } from '#export-jobs/planning/plan-job.ts';
import type { SliceState } from '#export-jobs/slice.ts';
import { type JobChange, recordChange } from '#export-jobs/store/record-change.ts';
import { acceptJob } from '#export-jobs/store/requests/accept-job.ts';
import { postgresUrl } from '../postgres.ts';
import { openReady } from '../ready-database.ts';
import { askerOf, testAuditContext } from './deeds.ts';

/** Where a database can be, as worlds and `openDatabase` take it. */
interface Home {
  databaseUrl?: string;
}

/** The two storageBackends of export jobs, for `describe.each`. */
export const storageBackends: [name: string, openStorage: () => Promise<Home>][] = [
  ['SQLite', async () => ({})],
  ['PostgreSQL', async () => ({ databaseUrl: await postgresUrl() })],
];

/** Opens an empty database in a home; it can be used at once, and leaves nothing behind. */
export async function openStore(
  openStorage: () => Promise<Home>,
  clock?: () => number,
): Promise<Database> {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'export-jobs-'));
  const home = await openStorage();
  const database = await openReady({ ...home, dataDir: folder.path, ...(clock && { clock }) });
  return {
    ...database,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      folder.remove();
    },
  };
}

/** A body of POST /export-jobs that is accepted, of three slices. */
export const wish = {
  name: 'three days',
  logGroupNames: ['/app'],
  from: '2024-05-01T00:00:00Z',
  to: '2024-05-04T00:00:00Z',
  sliceBy: 'day',
  destination: 'archive',
};

const dayMs = 24 * 3_600_000;
const firstDay = Date.UTC(2024, 0, 1);

/** A plan of so many slices, a day each. */
export function planOf(slices: number, facts: Partial<PlannedJob['job']> = {}) {
  const toAt = firstDay + slices * dayMs;
  return {
    job: {
      target: 'default',
      name: null,
      priority: 0,
      sliceBy: 'day' as const,
      timeZone: 'UTC',
      fromAt: firstDay,
      toAt,
      destination: 'archive',
      prefixTemplate: 'jobs/{jobId}',
      logStreamNamePrefix: null,
      isUnsettledAllowed: false,
      logGroupBytes: null,
      ...facts,
    },
    logGroupNames: ['/app'],
    slices: Array.from({ length: slices }, (_, number) => ({
      number,
      logGroupName: '/app',
      fromAt: firstDay + number * dayMs,
      toAt: firstDay + (number + 1) * dayMs,
      notBeforeAt: null,
      readyAt: toAt,
    })),
    policies: ['a-rule'],
  } satisfies PlannedJob;
}

/** What a test may say of a job it accepts. */
interface Given {
  caller?: string;
  acceptedAt?: number;
  facts?: Partial<PlannedJob['job']>;
}

/** Accepts a job of so many slices past the API; its id. */
export function givenJob(
  database: Database,
  slices: number,
  { caller = 'anonymous', acceptedAt = firstDay, facts = {} }: Given = {},
): Promise<string> {
  const jobId = randomUUID();
  const plan = planOf(slices, facts);
  return acceptJob(database, {
    ...{ jobId, request: askerOf(caller), acceptedAt, keyUse: undefined, plan },
    maxWaitingSlices: 0,
  });
}

/** Brings a slice into a state as the dispatcher would, with an event. */
export function bringTo(
  database: Database,
  jobId: string,
  slice: number,
  state: SliceState,
  problem: object | null = null,
): Promise<void> {
  return database.transaction(async (queries) => {
    await queries
      .updateTable('slices')
      .set({ state, problem: problem && JSON.stringify(problem) })
      .where('jobId', '=', jobId)
      .where('number', '=', slice)
      .execute();
    const change = { type: `slice-${state}`, slice, attempt: 1 } as JobChange;
    await recordChange(queries, database, jobId, change, testAuditContext);
  });
}

/** A problem as a slice keeps it. */
export const sliceProblem = (type: string, detail = 'It failed.') => ({
  type: `/problems/${type}`,
  title: 'It failed',
  detail,
  isRetryable: true,
  remedy: 'Try again.',
});
