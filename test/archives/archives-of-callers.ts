import { randomUUID } from 'node:crypto';
import type { Insertable } from 'kysely';

import type { ArchiveDefinition, ArchiveSummary } from '#archives/archive.ts';
import type { PlannedArchive } from '#archives/planning/plan-archive.ts';
import { acceptArchive } from '#archives/store/requests/accept-archive.ts';
import { putRange } from '#coverage/ledger/put-range.ts';
import type { LedgerRange } from '#coverage/ledger/splice.ts';
import type { Database } from '#database/database.ts';
import type { ArchiveLogGroupRow } from '#database/rows/archive-rows.ts';
import type { Window } from '#time/window.ts';
import { requestOf } from '../export-jobs/caller-requests.ts';
import { insertJob } from '../export-jobs/insert-rows.ts';

/** A valid body of POST /archives, of one log group by days. */
export const archiveBody = {
  name: 'app logs',
  logGroupNames: ['/app'],
  destination: 'archive',
};

/** Inserts completed exports of a target with their durations in seconds. */
export async function insertExports(
  database: Database,
  target: string,
  exports: readonly [logGroupName: string, seconds: number][],
): Promise<void> {
  for (const [logGroupName, seconds] of exports) {
    const jobId = await insertJob(database, { target, slices: [{ state: 'completed' }] });
    await database.queries
      .updateTable('slices')
      .set({ logGroupName })
      .where('jobId', '=', jobId)
      .execute();
    await database.queries
      .insertInto('attempts')
      .values({
        jobId,
        slice: 0,
        attempt: 1,
        target,
        marker: randomUUID(),
        destinationPrefix: 'x',
        fence: 1,
        submittedAt: 0,
        taskId: randomUUID(),
        taskCreatedAt: 0,
        taskCompletedAt: seconds * 1_000,
        endedAt: seconds * 1_000,
        outcome: 'completed',
        problem: null,
      })
      .execute();
  }
}

/** Makes a summary as a look writes it. */
export function summaryOf(summary: Partial<ArchiveSummary> = {}): ArchiveSummary {
  return {
    state: 'current',
    watermarkAt: null,
    logGroups: 3,
    partitions: {
      open: 3,
      waiting: 0,
      running: 0,
      covered: 9,
      missing: 0,
      atRisk: 0,
      lost: 0,
      waived: 0,
    },
    emptyPartitions: 1,
    nextExpiryAt: null,
    nextExpiryOf: null,
    slotShare: 0,
    ...summary,
  };
}

/** Makes the plan of an archive by days, from the beginning of 2024 on. */
export function planOfArchive(definition: Partial<ArchiveDefinition> = {}): PlannedArchive {
  return {
    name: 'app logs',
    definition: {
      logGroupNames: ['/app'],
      logGroupNamePrefix: null,
      exceptLogGroupNamePrefixes: [],
      partitionBy: 'day',
      fromAt: Date.UTC(2024, 0, 1),
      toAt: null,
      destination: 'archive',
      destinationPrefix: '{logGroup}/{yyyy}/{MM}/{dd}/{revision}',
      priority: -5,
      refreshDays: 0,
      catchUpDays: null,
      verification: 'objects',
      heartbeatUrl: null,
      isOverloadAllowed: false,
      ...definition,
    },
    logGroups: [],
    load: {
      exportsPerDay: 0,
      secondsPerExport: 0,
      basis: 'assumed',
      slotShare: 0,
      targetShare: 0,
      secondsOfTarget: 0,
    },
    warnings: [],
    policies: ['a-rule'],
  };
}

/** The values of an archive that a test accepts. */
interface GivenArchive {
  caller?: string;
  definition?: Partial<ArchiveDefinition>;
}

/** Accepts an archive, without the API. Returns its id. */
export function givenArchive(
  database: Database,
  { caller = 'anonymous', definition = {} }: GivenArchive = {},
): Promise<string> {
  return acceptArchive(database, {
    archiveId: randomUUID(),
    request: requestOf(caller),
    target: 'default',
    createdAt: Date.UTC(2024, 0, 1),
    keyUse: undefined,
    plan: planOfArchive(definition),
  });
}

/** Inserts a log group of an archive by days, with its ranges, as looks write them. */
export async function givenLogGroup(
  database: Database,
  archiveId: string,
  values: Partial<Insertable<ArchiveLogGroupRow>> = {},
  ranges: readonly (Partial<LedgerRange> & Window)[] = [],
): Promise<void> {
  const key = { archiveId, logGroupName: '/app', incarnation: 1 };
  const row = { ...key, createdAt: 0, seenAt: 0, goneAt: null, retentionDays: null, ...values };
  await database.queries
    .insertInto('archiveLogGroups')
    .values({ ...row, doneUntilAt: null })
    .execute();
  for (const range of ranges) {
    const facts = { state: 'covered', isEmpty: 0, again: null, cause: null, ...range } as const;
    await database.transaction((queries) =>
      putRange(queries, { ...row, partitionBy: 'day' }, facts),
    );
  }
}

/** Reads the ranges of an archive, without the values that are the same for all. */
export function rangesOf(database: Database, archiveId: string) {
  return database.queries
    .selectFrom('archiveRanges')
    .select(['logGroupName', 'fromAt', 'toAt', 'state', 'again', 'cause'])
    .where('archiveId', '=', archiveId)
    .orderBy('logGroupName')
    .orderBy('incarnation')
    .orderBy('fromAt')
    .execute();
}
