import { type Static, Type } from '@sinclair/typebox';
import { shareAnswers } from '#caching/shared-answers.ts';
import type { Database } from '#database/database.ts';
import { statedLimits } from '#problems/limits.ts';
import type { SliceCounts } from '../slice.ts';
import { sliceStates } from '../slice.ts';
import {
  countLogGroups,
  readChildren,
  readGridCounts,
  readGridEdges,
} from '../store/reads/read-grid.ts';
import type { JobHead } from '../store/reads/read-heads.ts';

const Place = (description: string) =>
  Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: statedLimits.slicesPerJob,
      description,
      'x-rule': `an integer from 0 to ${statedLimits.slicesPerJob}`,
    }),
  );

/** The part of a job that a grid shows. */
export type GridQuery = Static<typeof GridQuery>;
export const GridQuery = Type.Object(
  {
    fromGroup: Place('Index of the first log group. Default: 0.'),
    fromWindow: Place('Index of the first time range. Default: 0.'),
    toWindow: Place('Index after the last time range. Default: the end of the job.'),
  },
  { additionalProperties: false },
);

/** A column of a grid: one or more windows of the job, from the first to the last. */
export interface GridColumn {
  fromWindow: number;
  toWindow: number;
  fromAt: number;
  toAt: number;
}

/** The slices of a job by log group and window. Of a large job it shows a part, or ranges of windows. */
export interface SliceGrid {
  logGroups: number;
  windows: number;
  fromGroup: number;
  /** The index of the first row of the part before this one. */
  previousGroup: number;
  fromWindow: number;
  toWindow: number;
  columns: GridColumn[];
  /** One for each log group, with the counts of each column. */
  rows: { logGroupName: string; cells: SliceCounts[] }[];
}

/** Reads the grid of the slices of a job that the caller may read. */
export type ReadSliceGrid = (
  head: JobHead,
  counts: SliceCounts,
  query: GridQuery,
) => Promise<SliceGrid>;

// Fewer: a job of many log groups has many pages. More: the page becomes long.
const maxRows = 20;
// The days of a month fit. More: cells are too narrow to point at.
const maxColumns = 31;

// All viewers of a job read its page again at the same moment, and get the same.
const freshForMs = 1_000;

/** Makes `ReadSliceGrid`; `elapsed` is a clock that only goes forward, in milliseconds. */
export function makeReadSliceGrid(database: Database, elapsed: () => number): ReadSliceGrid {
  const shared = shareAnswers(readGrid, { freshForMs, elapsed });
  return ({ id, fromAt, version }, counts, { fromGroup, fromWindow, toWindow }) =>
    shared({ id, fromAt, version }, counts, { fromGroup, fromWindow, toWindow });

  async function readGrid(
    head: Pick<JobHead, 'id' | 'fromAt' | 'version'>, // a later version is read anew
    totals: SliceCounts,
    query: { [Name in keyof GridQuery]: GridQuery[Name] | undefined },
  ): Promise<SliceGrid> {
    const { id: jobId } = head;
    const children = totals.split > 0 ? await readChildren(database, jobId) : [];
    // The children are numbered after all others. They may be more than in the totals, which were read before.
    const slices =
      children[0]?.number ?? sliceStates.reduce((sum, state) => sum + totals[state], 0);
    const logGroups = await countLogGroups(database, head, slices);
    const windows = slices / logGroups;
    const fromGroup = Math.min(query.fromGroup ?? 0, logGroups - 1);
    const toGroup = Math.min(fromGroup + maxRows, logGroups);
    const fromWindow = Math.min(query.fromWindow ?? 0, windows - 1);
    const toWindow = Math.min(Math.max(query.toWindow ?? windows, fromWindow + 1), windows);
    const step = Math.ceil((toWindow - fromWindow) / maxColumns);
    const range = { jobId, logGroups, fromGroup, toGroup, fromWindow, toWindow, step };

    const starts = Array.from(
      { length: Math.ceil((toWindow - fromWindow) / step) },
      (_, column) => fromWindow + column * step,
    );
    const bounds = starts.map((first) => ({
      fromWindow: first,
      toWindow: Math.min(first + step, toWindow),
    }));
    const groups = Array.from({ length: toGroup - fromGroup }, (_, row) => fromGroup + row);
    const edges = await readGridEdges(database, jobId, [
      ...groups,
      ...bounds.flatMap((column) => [
        column.fromWindow * logGroups,
        (column.toWindow - 1) * logGroups,
      ]),
    ]);
    const edgeOf = new Map(edges.map((edge) => [edge.number, edge]));
    const counts = await readGridCounts(database, range);
    const cells = new Map(groups.map((row) => [row, starts.map(noSlices)]));
    const cellOf = (number: number) => {
      const window = Math.floor(number / logGroups);
      const row = window < toWindow ? cells.get(number % logGroups) : undefined;
      return row?.[Math.floor((window - fromWindow) / step)];
    };
    for (const { row, column, state, slices: count } of counts) {
      const cell = cells.get(row)?.[column];
      if (cell) cell[state] += count;
    }
    // In the cell of a split slice, its children count instead.
    const origins = new Map<number, number>();
    for (const { number, parent, state } of children) {
      const origin = origins.get(parent) ?? parent;
      origins.set(number, origin);
      const cell = cellOf(origin);
      if (cell) cell[state] += 1;
    }
    for (const cell of [...cells.values()].flat()) cell.split = 0;
    return {
      logGroups,
      windows,
      fromGroup,
      previousGroup: Math.max(0, fromGroup - maxRows),
      fromWindow,
      toWindow,
      columns: bounds.map((column) => ({
        ...column,
        fromAt: edgeOf.get(column.fromWindow * logGroups)?.fromAt ?? 0,
        toAt: edgeOf.get((column.toWindow - 1) * logGroups)?.toAt ?? 0,
      })),
      rows: groups.map((row) => ({
        logGroupName: edgeOf.get(row)?.logGroupName ?? '',
        cells: cells.get(row) ?? [],
      })),
    };
  }
}

const noSlices = () => Object.fromEntries(sliceStates.map((state) => [state, 0])) as SliceCounts;
