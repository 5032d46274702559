import { commonPart, partsOutside, type Window } from '#time/window.ts';
import type { WantedWindow } from './wanted.ts';

/**
 * Yields the wanted time that is in no range of the ledger, lazily, the oldest first: the work that is left.
 * `ranges` is in the order of time. `within`: the part of the time to look at; it must have an end if a wanted
 * window has none.
 */
export function* gapsOf(
  wanted: readonly WantedWindow[],
  ranges: readonly Window[],
  within: Window,
): Generator<WantedWindow> {
  let first = 0;
  for (const window of wanted) {
    if (window.fromAt >= within.toAt) return;
    const part = commonPart(window, within);
    if (!part) continue;
    for (let range = ranges[first]; range && range.toAt <= part.fromAt; range = ranges[first])
      first += 1;
    for (const gap of partsOutside(part, from(ranges, first)))
      yield { ...gap, order: window.order };
  }
}

function* from(windows: readonly Window[], first: number): Generator<Window> {
  for (let index = first; index < windows.length; index += 1) yield windows[index] as Window;
}
