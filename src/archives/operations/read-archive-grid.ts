import { type Static, Type } from '@sinclair/typebox';

import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import { countUnits, nextStart, type PartitionBy } from '#coverage/ledger/units.ts';
import type { Database } from '#database/database.ts';
import { calendarUnits } from '#time/calendar-units.ts';
import { commonPart, type Window } from '#time/window.ts';
import type { ArchiveAccess } from '../access/archive-access.ts';
import { type PartitionState, partitionStates } from '../archive.ts';
import type { PartitionRun } from '../partitions/runs.ts';
import { indexNames, makeWantedOf } from '../partitions/wanted.ts';
import { readBackfills } from '../store/partitions/read-backfills.ts';
import { countKnownLogGroups, findLogGroupAt } from '../store/reads/log-group-index.ts';
import type { StoredArchive } from '../store/reads/read-archives.ts';
import { runsOfLogGroup } from '../store/reads/read-coverage-page.ts';
import {
  endOfTime,
  type LedgerWindowQuery,
  type LogGroupPart,
  readLedgerWindow,
} from '../store/reads/read-ledger-window.ts';

const maxInstant = 8_640_000_000_000_000; // of a Date
const Place = (maximum: number, description: string) =>
  Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum,
      description,
      'x-rule': `an integer from 0 to ${maximum}`,
    }),
  );

/** The part of an archive that a grid shows. */
export type ArchiveGridQuery = Static<typeof ArchiveGridQuery>;
export const ArchiveGridQuery = Type.Object(
  {
    fromGroup: Place(1_000_000, 'Index of the first log group. Default: 0.'),
    fromAt: Place(maxInstant, 'Start of the time range, in epoch ms. Default: 31 partitions ago.'),
    toAt: Place(
      maxInstant,
      'End of the time range, in epoch ms. Default: that of the current partition.',
    ),
  },
  { additionalProperties: false },
);

/** The number of partitions in each state. */
export type PartitionCounts = Record<PartitionState, number>;

/** A log group in the time of a column. */
export interface ArchiveGridCell {
  counts: PartitionCounts;
  /** The share of the wanted time that is covered, from 0 to 1. 0 if no time is wanted. */
  coveredShare: number;
}

/** The partitions of an archive by log group and time. Of a large archive it shows a part, or ranges of partitions. */
export interface ArchiveGrid {
  partitionBy: PartitionBy;
  /** How many partitions a column has. */
  step: number;
  columns: Window[];
  /** One for each log group that the caller may read, with a cell for each column. */
  rows: { logGroupName: string; incarnation: number; isGone: boolean; cells: ArchiveGridCell[] }[];
  /** The number of log groups of the archive, and the index of the first row. */
  logGroups: number;
  fromGroup: number;
  /** The index of the first row of the part before this one. */
  previousGroup: number;
  /** The index of the first row of the part after this one. */
  nextGroup: number;
  /** All partitions so far; the time ranges before and after that of the columns, if there are any. */
  whole: Window;
  earlier: Window | undefined;
  later: Window | undefined;
}

/** Reads the grid of an archive that the caller may read. */
export type ReadArchiveGrid = (
  request: CallerRequest,
  archive: StoredArchive,
  query: ArchiveGridQuery,
) => Promise<ArchiveGrid>;

// Fewer: an archive of many log groups has many pages. More: the page becomes long.
const maxRows = 20;
// The days of a month fit. More: cells are too narrow to point at.
const maxColumns = 31;
// A year by hour whose neighbours all differ. Fewer: pages of such archives have fewer rows. More: they are slow.
const maxPieces = 10_000;

/** Makes `ReadArchiveGrid`. */
export function makeReadArchiveGrid(
  database: Database,
  access: Pick<ArchiveAccess, 'findPermitted'>,
): ReadArchiveGrid {
  return async (request, archive, { fromGroup = 0, fromAt, toAt }) => {
    const { id, definition, endedAt } = archive;
    const { partitionBy } = definition;
    const { logGroups, now } = await countKnownLogGroups(database, id);
    const backfills = await readBackfills(database.queries, id);
    const whole = {
      fromAt: Math.min(definition.fromAt, ...backfills.map((backfill) => backfill.fromAt)),
      toAt: nextStart(Math.max(now, definition.fromAt), partitionBy),
    };
    const { window, earlier, later } = windowsOf(partitionBy, whole, { fromAt, toAt });
    const { columns, step } = columnsOf(partitionBy, window);
    const read = await readParts(database, { archiveId: id, partitionBy, window, fromGroup });
    const names = read.map(({ logGroup }) => logGroup.logGroupName);
    const readable = await access.findPermitted(request, 'ReadArchive', archive, names);
    const parts = read.filter(({ logGroup }) => readable.has(logGroup.logGroupName));
    const naming = indexNames(backfills, readable);
    const wantedOf = makeWantedOf(definition, backfills, naming);
    return {
      partitionBy,
      step,
      columns,
      rows: parts.map((part) => {
        const { logGroupName, incarnation, goneAt } = part.logGroup;
        const runs = [...runsOfLogGroup({ definition, endedAt }, wantedOf, part, now)];
        const cells = columns.map((column) => cellOf(column, runs, partitionBy));
        return { logGroupName, incarnation, isGone: goneAt !== null, cells };
      }),
      logGroups,
      fromGroup,
      previousGroup: Math.max(0, fromGroup - maxRows),
      nextGroup: fromGroup + read.length,
      whole,
      earlier,
      later,
    };
  };
}

/** Reads what is known of the log groups of some rows. */
async function readParts(
  database: Database,
  {
    fromGroup,
    ...query
  }: Pick<LedgerWindowQuery, 'archiveId' | 'partitionBy' | 'window'> & {
    fromGroup: number;
  },
): Promise<LogGroupPart[]> {
  const first = await findLogGroupAt(database, query.archiveId, fromGroup);
  if (!first) return [];
  const { logGroups, next } = await readLedgerWindow(database, {
    ...query,
    logGroupName: undefined,
    from: { ...first, at: query.window.fromAt },
    maxLogGroups: maxRows,
    maxPieces,
  });
  const isCut = next !== undefined && next.at !== endOfTime;
  return isCut && logGroups.length > 1 ? logGroups.slice(0, -1) : logGroups;
}

/** Returns the time range to show, in whole partitions, and those before and after it. */
function windowsOf(
  partitionBy: PartitionBy,
  whole: Window,
  { fromAt, toAt }: { fromAt: number | undefined; toAt: number | undefined },
): { window: Window; earlier: Window | undefined; later: Window | undefined } {
  const { periodOf, startOf } = calendarUnits[partitionBy];
  const first = periodOf(whole.fromAt);
  const end = periodOf(whole.toAt - 1) + 1;
  const within = (period: number) => Math.min(Math.max(period, first), end);
  const to = Math.max(within(toAt === undefined ? end : periodOf(toAt - 1) + 1), first + 1);
  const from = within(Math.min(fromAt === undefined ? to - maxColumns : periodOf(fromAt), to - 1));
  const between = (start: number, stop: number) =>
    start < stop ? { fromAt: startOf(start), toAt: startOf(stop) } : undefined;
  return {
    window: { fromAt: startOf(from), toAt: startOf(to) },
    earlier: between(within(from - (to - from)), from),
    later: between(to, within(to + (to - from))),
  };
}

/** Divides a time range into columns of the same number of partitions. The last one can have fewer. */
function columnsOf(partitionBy: PartitionBy, window: Window): { columns: Window[]; step: number } {
  const { periodOf, startOf } = calendarUnits[partitionBy];
  const first = periodOf(window.fromAt);
  const count = countUnits(window, partitionBy);
  const step = Math.ceil(count / maxColumns);
  const columns = Array.from({ length: Math.ceil(count / step) }, (_, index) => ({
    fromAt: startOf(first + index * step),
    toAt: startOf(first + Math.min((index + 1) * step, count)),
  }));
  return { columns, step };
}

/** Counts the partitions of a column by state, and measures how much of its time is covered. */
function cellOf(
  column: Window,
  runs: readonly PartitionRun[],
  partitionBy: PartitionBy,
): ArchiveGridCell {
  const counts = Object.fromEntries(partitionStates.map((state) => [state, 0])) as PartitionCounts;
  let wantedMs = 0;
  let coveredMs = 0;
  for (const run of runs) {
    const part = commonPart(run, column);
    if (!part) continue;
    const lengthMs = part.toAt - part.fromAt;
    counts[run.state] += countUnits(part, partitionBy);
    wantedMs += lengthMs;
    if (run.state === 'covered') coveredMs += lengthMs;
  }
  return { counts, coveredShare: wantedMs === 0 ? 0 : coveredMs / wantedMs };
}
