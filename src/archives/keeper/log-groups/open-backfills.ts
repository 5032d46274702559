import type { Window } from '#time/window.ts';
import { indexNames, type NamingBackfills } from '../../partitions/wanted.ts';

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
export function makeOpenBackfills(
  backfills: readonly OpenBackfill[],
  naming: NamingBackfills = indexNames(backfills),
): OpenBackfills {
  const waiting = new Set<number>();
  /** Those of all log groups, until they wait. The latest ends are first: those before the first gap are not looked at. */
  let ofAll = backfills
    .filter(({ endedAt, logGroupNames }) => endedAt === null && logGroupNames === null)
    .sort((one, other) => other.toAt - one.toAt);

  function noteOfAll(gaps: readonly Window[]): void {
    const firstAt = gaps[0]?.fromAt ?? Infinity;
    const found = waiting.size;
    for (const backfill of ofAll) {
      if (backfill.toAt <= firstAt) break;
      if (hasPart(gaps, backfill)) waiting.add(backfill.number);
    }
    if (waiting.size > found) ofAll = ofAll.filter(({ number }) => !waiting.has(number));
  }

  return {
    waiting,
    note(logGroupName, gapsOfLogGroup) {
      const named = (naming.get(logGroupName) ?? [])
        .flatMap((index) => backfills[index] ?? [])
        .filter(({ number, endedAt }) => endedAt === null && !waiting.has(number));
      if (ofAll.length + named.length === 0) return;
      const gaps = [...gapsOfLogGroup()];
      noteOfAll(gaps);
      for (const backfill of named) if (hasPart(gaps, backfill)) waiting.add(backfill.number);
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
