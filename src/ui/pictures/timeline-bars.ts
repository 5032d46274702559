import type { Interval } from '#export-jobs/operations/read-timeline.ts';

/** A time in a lane, and the class of its colour. */
export interface Run extends Interval {
  kind: string;
}

/** One or more runs of a kind, drawn as one. */
export interface Bar extends Run {
  /** The number of its runs. */
  count: number;
  /** How long its runs took together. */
  busyMs: number;
  /** The share of its time to show. It is 1 if no gap can be seen. */
  share: number;
}

// More: the markup of the picture has hundreds of kilobytes. Fewer: the tasks of busy callers are joined over hours.
const maxBars = 1_000;
// More: bars that touch on the screen. Fewer: gaps that could be seen disappear.
const pixels = 1_440;
// Half a percent of a lane each. More: bars that are too narrow for a telephone. Fewer: tasks of minutes are joined.
const finestCells = 192;

/**
 * Returns the bars of each lane, 1,000 at most in all. Runs of a kind become one bar if no gap between them can be
 * seen. If there are too many bars, the lanes are divided into cells, and each cell has one bar for its short runs of
 * a kind.
 */
export function barsOf(time: Interval, lanes: readonly (readonly Run[])[]): Bar[][] {
  const lengthMs = time.to - time.from;
  const apart = lanes.map((runs) => joinClose(runs, lengthMs / pixels));
  let bars = apart;
  for (let cells = finestCells; bars.flat().length > maxBars && cells >= 1; cells /= 2) {
    bars = apart.map((lane) => joinInCells(lane, time.from, lengthMs / cells));
  }
  return bars;
}

/** Joins runs that follow each other in the same kind, with less than a gap between them. */
function joinClose(runs: readonly Run[], gapMs: number): Bar[] {
  const bars: Bar[] = [];
  for (const run of runs.toSorted((one, other) => one.from - other.from)) {
    const bar = { ...run, count: 1, busyMs: run.to - run.from, share: 1 };
    const last = bars.at(-1);
    if (last?.kind === bar.kind && bar.from - last.to < gapMs)
      bars.splice(-1, 1, join([last, bar]));
    else bars.push(bar);
  }
  return bars;
}

/**
 * Joins bars of the same kind whose middles are in the same cell. A bar of short ones fills its cell. All of a kind do
 * that or none, otherwise two runs could look like less than one.
 */
function joinInCells(bars: readonly Bar[], from: number, cellMs: number): Bar[] {
  const isShort = (bar: Bar) => bar.to - bar.from < cellMs;
  const cellOf = (bar: Bar) => Math.floor(((bar.from + bar.to) / 2 - from) / cellMs);
  const kinds = Map.groupBy(bars, (bar) => `${bar.kind} ${isShort(bar)}`);
  return [...kinds.values()].flatMap((ofKind) => {
    const cells = Map.groupBy(ofKind, cellOf);
    if (cells.size === ofKind.length) return ofKind;
    return [...cells].map(([cell, members]) => {
      const bar = join(members);
      if (members.some((member) => !isShort(member))) return bar;
      const cellFrom = from + cell * cellMs;
      const share = Math.min(1, bar.busyMs / cellMs);
      return { ...bar, from: cellFrom, to: cellFrom + cellMs, share };
    });
  });
}

function join(bars: readonly Bar[]): Bar {
  const [first] = bars as [Bar];
  return {
    ...first,
    from: Math.min(...bars.map(({ from }) => from)),
    to: Math.max(...bars.map(({ to }) => to)),
    count: bars.reduce((sum, { count }) => sum + count, 0),
    busyMs: bars.reduce((sum, { busyMs }) => sum + busyMs, 0),
  };
}
