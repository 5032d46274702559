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
  for (const { order, ...window } of wanted) {
    const part = commonPart(window, within);
    if (part) for (const gap of partsOutside(part, ranges)) yield { ...gap, order };
  }
}
