import { setAsNewest } from '#caching/bounded-map.ts';
import { type PartitionBy, startOf } from '#coverage/ledger/units.ts';
import { commonPart, type Window } from '#time/window.ts';

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
 * or from after its deletion.
 */
export type WantedOf = (logGroup: WantedLogGroup) => readonly WantedWindow[];

/** The indices of the backfills that name a log group, by its name. */
export type NamingBackfills = ReadonlyMap<string, readonly number[]>;

/** Makes the index of the names in backfills. With `among`: of these names only. */
export function indexNames(
  backfills: readonly Pick<WantingBackfill, 'logGroupNames'>[],
  among?: ReadonlySet<string>,
): NamingBackfills {
  const naming = new Map<string, number[]>();
  for (const [index, { logGroupNames }] of backfills.entries()) {
    for (const name of logGroupNames ?? []) {
      if (among?.has(name) === false) continue;
      const known = naming.get(name);
      if (known) known.push(index);
      else naming.set(name, [index]);
    }
  }
  return naming;
}

// How many sets of backfills have their merged windows kept, beside those that name no log group. Fewer: log groups
// that the same backfills name are merged again. More: with the most backfills, each of them is 100 KB.
const maxMerged = 32;

/**
 * Makes `WantedOf`. `backfills` is in the order of the requests: later ones have precedence. They are merged once for
 * log groups that the same backfills name, as long as those are among the latest.
 */
export function makeWantedOf(
  { partitionBy, fromAt, toAt }: WantingArchive,
  backfills: readonly WantingBackfill[],
  naming: NamingBackfills = indexNames(backfills),
): WantedOf {
  const own = { fromAt: startOf(fromAt, partitionBy), toAt: toAt ?? Infinity, order: null };
  const ofUnnamed = merge([]);
  const known = new Map<string, readonly WantedWindow[]>();

  function mergedFor(logGroupName: string): readonly WantedWindow[] {
    const indices = naming.get(logGroupName);
    if (!indices) return ofUnnamed;
    const key = indices.join();
    const merged = known.get(key) ?? merge(indices);
    setAsNewest(known, key, merged, maxMerged);
    return merged;
  }

  function merge(indices: readonly number[]): WantedWindow[] {
    const named = new Set(indices);
    const asking = backfills.filter(
      ({ logGroupNames }, index) => logGroupNames === null || named.has(index),
    );
    return overlay([own, ...asking]);
  }

  return ({ logGroupName, createdAt, goneAt }) => {
    const within = { fromAt: startOf(createdAt, partitionBy), toAt: goneAt ?? Infinity };
    const merged = mergedFor(logGroupName);
    const [first] = merged;
    if (goneAt === null && first && within.fromAt <= first.fromAt) return merged;
    return merged.flatMap((window) => {
      const part = commonPart(window, within);
      return part ? { ...part, order: window.order } : [];
    });
  };
}

/** Returns disjoint windows, the oldest first. Where windows overlap, the last one of them counts. */
function overlay(windows: readonly WantedWindow[]): WantedWindow[] {
  const layers = windows.map(({ fromAt, toAt, order }, layer) => ({ fromAt, toAt, order, layer }));
  const beginnings = Map.groupBy(layers, ({ fromAt }) => fromAt);
  const ends = new Set(layers.flatMap(({ fromAt, toAt }) => [fromAt, toAt]));
  const instants = [...ends].sort((one, other) => one - other);
  /** Those that have begun, the last layer at the end. One that has ended leaves when it is there. */
  const begun: typeof layers = [];
  const parts = instants.flatMap((fromAt, index) => {
    begun.push(...(beginnings.get(fromAt) ?? []));
    begun.sort((one, other) => one.layer - other.layer);
    let top = begun.at(-1);
    for (; top && top.toAt <= fromAt; top = begun.at(-1)) begun.pop();
    const toAt = instants[index + 1];
    return top && toAt !== undefined ? { fromAt, toAt, order: top.order } : [];
  });
  return mergeNeighbours(parts);
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
