import type { Window } from '#time/window.ts';

/** What decides whether a backfill is complete. */
interface OpenBackfill extends Window {
  number: number;
  /** Null: all log groups of the archive. */
  logGroupNames: readonly string[] | null;
  endedAt: number | null;
}

/** The backfills of an archive that have not ended. */
export interface OpenBackfills {
  /** The numbers of those that wait for a log group, as far as log groups were noted. */
  waiting: ReadonlySet<number>;
  /** Notes the wanted time of a log group that is not exported: disjoint windows, the oldest first. */
  note(logGroupName: string, gaps: () => Iterable<Window>): void;
}

/** Makes these. A backfill that waits for a log group is not looked at again for the next ones. */
export function makeOpenBackfills(backfills: readonly OpenBackfill[]): OpenBackfills {
  const waiting = new Set<number>();
  /** By name, or null for all log groups. The latest ends are first: those before the first gap are not looked at. */
  const undecided = new Map<string | null, OpenBackfill[]>();
  for (const backfill of backfills.toSorted((one, other) => other.toAt - one.toAt)) {
    if (backfill.endedAt !== null) continue;
    for (const name of backfill.logGroupNames ?? [null]) {
      const list = undecided.get(name) ?? [];
      list.push(backfill);
      undecided.set(name, list);
    }
  }

  function noteAmong(key: string | null, gaps: readonly Window[]): void {
    const list = undecided.get(key) ?? [];
    const firstAt = gaps[0]?.fromAt ?? Infinity;
    let hasFound = false;
    for (const backfill of list) {
      if (backfill.toAt <= firstAt) break;
      if (!waiting.has(backfill.number) && !hasPart(gaps, backfill)) continue;
      waiting.add(backfill.number);
      hasFound = true;
    }
    if (!hasFound) return;
    undecided.set(
      key,
      list.filter(({ number }) => !waiting.has(number)),
    );
  }

  return {
    waiting,
    note(logGroupName, gapsOfLogGroup) {
      const keys = [null, logGroupName].filter((key) => (undecided.get(key) ?? []).length > 0);
      if (keys.length === 0) return;
      const gaps = [...gapsOfLogGroup()];
      for (const key of keys) noteAmong(key, gaps);
    },
  };
}

/** Whether one of these disjoint windows, the oldest first, has a common part with another one. */
function hasPart(windows: readonly Window[], { fromAt, toAt }: Window): boolean {
  let [low, high] = [0, windows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((windows[middle]?.toAt ?? Infinity) <= fromAt) low = middle + 1;
    else high = middle;
  }
  return (windows[low]?.fromAt ?? Infinity) < toAt;
}
