import { sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import { commonPart, type Window } from '#time/window.ts';
import type { PartitionState } from '../../archive.ts';
import { isContinued, type PartitionRun, runsOf, toRun } from '../../partitions/runs.ts';
import { isSelected } from '../../partitions/selection.ts';
import { indexNames, makeWantedOf, type WantedOf } from '../../partitions/wanted.ts';
import type { LogGroupCursor } from '../log-groups/read-ledger.ts';
import { readBackfills } from '../partitions/read-backfills.ts';
import type { StoredArchive } from './read-archives.ts';
import {
  endOfTime,
  type LedgerPosition,
  type LedgerWindow,
  type LogGroupPart,
  readLedgerWindow,
} from './read-ledger-window.ts';

/** Neighbouring partitions with the same state, of an incarnation of a log group. */
export interface LogGroupRun extends PartitionRun, LogGroupCursor {}

/** Which runs to read. */
export interface CoverageQuery {
  /** Default: all log groups. */
  logGroupName?: string | undefined;
  /** Default: all states. */
  state?: PartitionState | undefined;
  window: Window;
  limit: number;
  /** Where to begin. Default: at the beginning. */
  from: LedgerPosition | undefined;
}

/** A page of runs. `next` is where the next page begins; absent on the last page. */
export interface CoveragePage {
  runs: LogGroupRun[];
  next?: LedgerPosition;
}

// What one page reads at most. Lower: who looks for few among many gets many short pages. Higher: an answer takes
// tenths of a second.
const pageBounds = { logGroups: 1_000, pieces: 2_000, maxLogGroups: 100, maxPieces: 1_000 };

/** An archive as its coverage depends on it. */
export type CoveredArchive = Pick<StoredArchive, 'id' | 'definition' | 'endedAt'>;

/**
 * Reads a page of the coverage of an archive: runs of partitions, ordered by log group, incarnation and time. A
 * page can be short or empty and still have a `next`. Its last run can go on in the first one of the next page.
 */
export async function readCoveragePage(
  database: Database,
  archive: CoveredArchive,
  query: CoverageQuery,
  bounds = pageBounds,
): Promise<CoveragePage> {
  const { state, limit } = query;
  const { maxLogGroups, maxPieces } = bounds;
  if (state === 'lost' || state === 'waived')
    return readRunsOfState(database.queries, archive.id, { ...query, state });
  const backfills = await readBackfills(database.queries, archive.id, query.logGroupName);
  const runs: LogGroupRun[] = [];
  let { from } = query;
  for (let logGroups = 0, pieces = 0; ; ) {
    const part: LedgerWindow = await readLedgerWindow(database, {
      archiveId: archive.id,
      partitionBy: archive.definition.partitionBy,
      logGroupName: query.logGroupName,
      window: query.window,
      from,
      maxLogGroups,
      maxPieces,
    });
    const names = new Set(part.logGroups.map(({ logGroup }) => logGroup.logGroupName));
    const naming = indexNames(backfills, names);
    const wantedOf = makeWantedOf(archive.definition, backfills, naming);
    for (const run of runsOfPart(archive, wantedOf, part)) {
      if (state !== undefined && run.state !== state) continue;
      const last = runs.at(-1);
      if (last && isSameLogGroup(last, run) && isContinued(last, run)) {
        last.toAt = run.toAt;
        continue;
      }
      if (runs.length === limit) return { runs, next: positionOf(run) };
      runs.push(run);
    }
    if (!part.next) return { runs };
    from = part.next;
    logGroups += part.logGroups.length;
    for (const { ranges, work } of part.logGroups) pieces += ranges.length + work.length;
    if (logGroups >= bounds.logGroups || pieces >= bounds.pieces) return { runs, next: from };
  }
}

const isSameLogGroup = (one: LogGroupCursor, other: LogGroupCursor) =>
  one.logGroupName === other.logGroupName && one.incarnation === other.incarnation;

function* runsOfPart(
  archive: CoveredArchive,
  wantedOf: WantedOf,
  { now, logGroups }: LedgerWindow,
): Generator<LogGroupRun> {
  for (const each of logGroups) {
    const { logGroupName, incarnation } = each.logGroup;
    for (const run of runsOfLogGroup(archive, wantedOf, each, now))
      yield { logGroupName, incarnation, ...run };
  }
}

/** Yields the runs of the part of a window that was read of a log group. */
export function runsOfLogGroup(
  { definition, endedAt }: Omit<CoveredArchive, 'id'>,
  wantedOf: WantedOf,
  { logGroup, window, ranges, work }: LogGroupPart,
  now: number,
): Generator<PartitionRun> {
  const { partitionBy, catchUpDays } = definition;
  const { retentionDays, logGroupName } = logGroup;
  const wanted = isSelected(definition, logGroupName) ? wantedOf(logGroup) : [];
  const facts = { partitionBy, retentionDays, catchUpDays, endedAt, now };
  return runsOf({ ...facts, wanted, ranges, work }, window);
}

const positionOf = ({ logGroupName, incarnation, fromAt }: LogGroupRun): LedgerPosition => ({
  logGroupName,
  incarnation,
  at: fromAt,
});

/** Reads runs of a state that is stored: an index finds them, however few they are. */
async function readRunsOfState(
  queries: Queries,
  archiveId: string,
  { logGroupName, state, window, from, limit }: CoverageQuery & { state: 'lost' | 'waived' },
): Promise<CoveragePage> {
  const toAt = Math.min(window.toAt, endOfTime);
  const rows = await queries
    .selectFrom('archiveRanges')
    .select(['logGroupName', 'incarnation', 'fromAt', 'toAt', 'state', 'isEmpty', 'again', 'cause'])
    .where('archiveId', '=', archiveId)
    .where('state', '=', state)
    .$if(logGroupName !== undefined, (query) =>
      query.where('logGroupName', '=', logGroupName as string),
    )
    .$if(from !== undefined, (query) => query.where(whereFrom(from as LedgerPosition)))
    .where('fromAt', '<', toAt)
    .where('toAt', '>', window.fromAt)
    .orderBy('logGroupName')
    .orderBy('incarnation')
    .orderBy('fromAt')
    .limit(limit + 1)
    .execute();
  const runs = rows.map(({ logGroupName, incarnation, ...range }) => ({
    ...toRun(range),
    ...(commonPart(range, { ...window, toAt }) ?? range),
    logGroupName,
    incarnation,
  }));
  const next = runs[limit];
  return { runs: runs.slice(0, limit), ...(next && { next: positionOf(next) }) };
}

const whereFrom = ({ logGroupName, incarnation, at }: LedgerPosition) => sql<boolean>`
  (log_group_name, incarnation) >= (${logGroupName}, ${incarnation})
  and not (log_group_name = ${logGroupName} and incarnation = ${incarnation} and to_at <= ${at})`;
