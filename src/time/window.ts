/** A half-open window of time, in epoch ms: it contains `fromAt`, but not `toAt`. */
export interface Window {
  fromAt: number;
  toAt: number;
}

/** The common part of two windows; undefined if they have none. */
export function commonPart(one: Window, other: Window): Window | undefined {
  const fromAt = Math.max(one.fromAt, other.fromAt);
  const toAt = Math.min(one.toAt, other.toAt);
  return fromAt < toAt ? { fromAt, toAt } : undefined;
}

/**
 * Yields the parts of a window that no other window contains, lazily and in order. `taken` is in the order of
 * `fromAt`; its windows may overlap.
 */
export function* partsOutside(
  { fromAt, toAt }: Window,
  taken: Iterable<Window>,
): Generator<Window> {
  let at = fromAt;
  for (const other of taken) {
    if (other.fromAt >= toAt) break;
    if (other.fromAt > at) yield { fromAt: at, toAt: other.fromAt };
    at = Math.max(at, other.toAt);
    if (at >= toAt) return;
  }
  if (at < toAt) yield { fromAt: at, toAt };
}
