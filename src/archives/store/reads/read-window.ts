import { type Selectable, sql } from 'kysely';

import type { LedgerRange } from '#coverage/ledger/splice.ts';
import type { Database } from '#database/database.ts';
import type { ArchiveLogGroupRow } from '#database/rows/archive-rows.ts';
import { begunStates } from '#export-jobs/slice.ts';
import type { Window } from '#time/window.ts';
import type { PartitionWork } from '../../partitions/runs.ts';

/** A log group of an archive with what is known of a window of it, in the order of time. */
export interface LogGroupWindow extends Selectable<ArchiveLogGroupRow> {
  ranges: LedgerRange[];
  work: PartitionWork[];
}

/** Counts the log groups of an archive, and tells the time. One that was created again counts again. */
export async function countKnownLogGroups(
  { queries, now }: Database,
  archiveId: string,
): Promise<{ logGroups: number; now: number }> {
  return queries
    .selectFrom('archiveLogGroups')
    .select(({ fn }) => fn.countAll<number>().as('logGroups'))
    .select(sql<number>`${now()}`.as('now'))
    .where('archiveId', '=', archiveId)
    .executeTakeFirstOrThrow();
}

/** Reads some log groups of an archive, by name, with what is known of a window of them. */
export async function readLogGroupWindows(
  { queries }: Database,
  archiveId: string,
  { offset, limit, window }: { offset: number; limit: number; window: Window },
): Promise<LogGroupWindow[]> {
  const groups = await queries
    .selectFrom('archiveLogGroups')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .orderBy('logGroupName')
    .orderBy('incarnation')
    .offset(offset)
    .limit(limit)
    .execute();
  const [first] = groups;
  const last = groups.at(-1);
  if (!first || !last) return [];
  // Whole names: two incarnations can be on two pages.
  const ranges = await queries
    .selectFrom('archiveRanges')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .where('logGroupName', '>=', first.logGroupName)
    .where('logGroupName', '<=', last.logGroupName)
    .where('fromAt', '<', window.toAt)
    .where('toAt', '>', window.fromAt)
    .orderBy('fromAt')
    .execute();
  const work = await queries
    .selectFrom('archivePartitions as partitions')
    .select([
      'logGroupName',
      'incarnation',
      'fromAt',
      'toAt',
      'state',
      'jobId',
      'problem',
      'retryAt',
    ])
    .select(({ exists, selectFrom }) =>
      exists(
        selectFrom('slices')
          .select(sql`1`.as('one'))
          .whereRef('slices.jobId', '=', 'partitions.jobId')
          .where('slices.state', 'in', begunStates),
      ).as('isRunning'),
    )
    .where('archiveId', '=', archiveId)
    .where('logGroupName', '>=', first.logGroupName)
    .where('logGroupName', '<=', last.logGroupName)
    .where('fromAt', '<', window.toAt)
    .where('toAt', '>', window.fromAt)
    .orderBy('fromAt')
    .execute();
  const keyOf = (row: { logGroupName: string; incarnation: number }) =>
    `${row.logGroupName} ${row.incarnation}`;
  const rangesOf = Map.groupBy(ranges, keyOf);
  const workOf = Map.groupBy(
    work.map((row) => ({ ...row, isRunning: Boolean(row.isRunning) })),
    keyOf,
  );
  return groups.map((group) => ({
    ...group,
    ranges: rangesOf.get(keyOf(group)) ?? [],
    work: workOf.get(keyOf(group)) ?? [],
  }));
}
