import type { Insertable } from 'kysely';

import { startOf } from '#coverage/ledger/units.ts';
import type { Database } from '#database/database.ts';
import type { ArchivePartitionRow, ArchiveRangeRow } from '#database/rows/archive-rows.ts';
import { insertArchive } from '../coverage/insert-archive.ts';
import { givenJob, sliceProblem } from '../export-jobs/accepted-jobs.ts';
import { archiveSummary } from './archive-rows.ts';

const dayMs = 86_400_000;

/** The number of days that such an archive wants, from its start to today. */
export const days = 60;

/**
 * Inserts an archive by day whose log groups have partitions in all states, and returns its id. There are as many
 * further log groups without any gap as `covered` says.
 */
export async function givenArchiveInAllStates(
  database: Database,
  { name = 'checkout', covered = 40 }: { name?: string; covered?: number } = {},
): Promise<string> {
  const { queries } = database;
  const now = Date.now();
  const today = startOf(now, 'day');
  const day = (ago: number) => today - ago * dayMs;
  const others = Array.from({ length: covered }, (_, n) => `/z/${String(n).padStart(4, '0')}`);
  const createdAt = day(days);
  const id = await insertArchive(database, {
    id: crypto.randomUUID(),
    definition: {
      partitionBy: 'day',
      fromAt: day(days),
      logGroupNames: null,
      logGroupNamePrefix: '/',
    },
    logGroups: [
      { logGroupName: '/at-risk', createdAt, retentionDays: 7 },
      { logGroupName: '/deleted', createdAt, goneAt: day(20) },
      { logGroupName: '/deleted', createdAt: day(10), incarnation: 2 },
      { logGroupName: '/missing', createdAt },
      { logGroupName: '/running', createdAt },
      ...others.map((logGroupName) => ({ logGroupName, createdAt })),
    ],
  });
  const jobId = await givenJob(database, 1);
  await queries
    .updateTable('slices')
    .set({ state: 'verifying' })
    .where('jobId', '=', jobId)
    .execute();
  const range = (
    logGroupName: string,
    [from, to]: readonly [number, number],
    values: Partial<Insertable<ArchiveRangeRow>> = {},
  ): Insertable<ArchiveRangeRow> => ({
    archiveId: id,
    logGroupName,
    incarnation: 1,
    fromAt: day(from),
    toAt: day(to),
    state: 'covered',
    isEmpty: 0,
    again: null,
    cause: null,
    ...values,
  });
  await queries
    .insertInto('archiveRanges')
    .values([
      range('/at-risk', [days, 30], { state: 'lost', cause: 'retention' }),
      range('/at-risk', [30, 7]),
      range('/deleted', [days, 25]),
      range('/deleted', [25, 20], { state: 'lost', cause: 'log-group-deleted' }),
      range('/deleted', [10, 1], { incarnation: 2, isEmpty: 1 }),
      range('/missing', [days, 40], { state: 'waived', cause: '1' }),
      range('/missing', [40, 3]),
      range('/running', [days, 2]),
      ...others.map((name) => range(name, [days, 1])),
    ])
    .execute();
  const work = (
    logGroupName: string,
    ago: number,
    values: Partial<Insertable<ArchivePartitionRow>>,
  ): Insertable<ArchivePartitionRow> => ({
    archiveId: id,
    logGroupName,
    incarnation: 1,
    fromAt: day(ago),
    toAt: day(ago - 1),
    state: 'queued',
    jobId: null,
    revision: 1,
    problem: null,
    ...values,
  });
  const problem = JSON.stringify(
    sliceProblem('export-task-failed', '<img src=x onerror=alert(1)>'),
  );
  await queries
    .insertInto('archivePartitions')
    .values([
      work('/missing', 3, { state: 'missing', problem, retryAt: now + 3_600_000 }),
      work('/running', 2, { jobId }),
    ])
    .execute();
  const summary = archiveSummary({
    state: 'atRisk',
    watermarkAt: day(20),
    logGroups: 4 + covered,
    nextExpiryAt: now + 5 * 3_600_000,
    nextExpiryOf: '/at-risk',
    partitions: {
      open: 5 + covered,
      waiting: 3,
      running: 1,
      covered: 24 + 56 * covered,
      missing: 1,
      atRisk: 2,
      lost: 35,
      waived: 20,
    },
  });
  await queries
    .updateTable('archives')
    .set({ name, summary: JSON.stringify(summary), lookedAt: now - 60_000 })
    .where('id', '=', id)
    .execute();
  return id;
}
