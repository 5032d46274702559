import { type PartitionBy, startOf } from '#coverage/ledger/units.ts';
import { partsOutside, type Window } from '#time/window.ts';

/** What the wanted time of a log group depends on in its archive. */
interface WantingArchive {
  partitionBy: PartitionBy;
  fromAt: number;
  /** Null: without end. */
  toAt: number | null;
}

/** An incarnation of a log group: from its creation to its deletion. */
interface WantedLogGroup {
  logGroupName: string;
  createdAt: number;
  /** Null while it exists. */
  goneAt: number | null;
}

/** What the wanted time of a log group depends on in a backfill. */
interface WantingBackfill extends Window {
  /** Null: all log groups of the archive. */
  logGroupNames: readonly string[] | null;
  order: 'oldest' | 'newest';
}

/** A window that an archive wants of a log group. `toAt` is Infinity without an end. */
export interface WantedWindow extends Window {
  /** The order of the latest backfill that asks for it. Null: no backfill does. */
  order: 'oldest' | 'newest' | null;
}

/**
 * Returns the time that an archive wants of an incarnation of a log group: disjoint windows, the oldest first.
 * Neighbours differ in their order. Nothing is wanted from before the period of the creation of the log group,
 * or from after its deletion. `backfills` is in the order of the requests: later ones have precedence.
 */
export function wantedWindows(
  logGroup: WantedLogGroup,
  { partitionBy, fromAt, toAt }: WantingArchive,
  backfills: readonly WantingBackfill[],
): WantedWindow[] {
  const { logGroupName, createdAt, goneAt } = logGroup;
  const bornAt = startOf(createdAt, partitionBy);
  const windows: WantedWindow[] = [];
  const want = (source: Window, order: WantedWindow['order']) => {
    const limited = {
      fromAt: Math.max(source.fromAt, bornAt),
      toAt: Math.min(source.toAt, goneAt ?? Infinity),
    };
    const parts = [...partsOutside(limited, windows)];
    windows.push(...parts.map((part) => ({ ...part, order })));
    windows.sort((one, other) => one.fromAt - other.fromAt);
  };
  for (const { logGroupNames, order, ...window } of backfills.toReversed())
    if (logGroupNames?.includes(logGroupName) ?? true) want(window, order);
  want({ fromAt: startOf(fromAt, partitionBy), toAt: toAt ?? Infinity }, null);
  return mergeNeighbours(windows);
}

function mergeNeighbours(windows: readonly WantedWindow[]): WantedWindow[] {
  const merged: WantedWindow[] = [];
  for (const window of windows) {
    const last = merged.at(-1);
    if (last?.toAt === window.fromAt && last.order === window.order) last.toAt = window.toAt;
    else merged.push({ ...window });
  }
  return merged;
}
