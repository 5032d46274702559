import { type SliceCounts, sliceStates } from '#export-jobs/slice.ts';
import { inDigits } from '#problems/limits.ts';
import { type Html, html } from '../html/html.ts';

/** A state as a badge. Its colour is a class of the style sheet. */
export const badge = (state: string): Html => html`<span class="badge ${state}">${state}</span>`;

const barOrder = [
  'completed',
  'failed',
  'cancelled',
  'cancelling',
  'verifying',
  'running',
  'starting',
] as const;

/** Draws the states of slices as one bar. The text beside it says the same. */
export function progressBar(counts: SliceCounts): Html {
  const total = Math.max(1, countAll(counts));
  let x = 0;
  const parts = barOrder
    .filter((state) => counts[state] > 0)
    .map((state) => {
      const width = (counts[state] / total) * 1_000;
      const part = html`<rect class="${state}" x="${x.toFixed(1)}" y="0" width="${width.toFixed(1)}" height="10"/>`;
      x += width;
      return part;
    });
  return html`<svg class="progress" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">${parts}</svg>`;
}

/** The number of slices, without those that were split: their children are exported instead. */
export const countAll = (counts: SliceCounts): number =>
  sliceStates.reduce((sum, state) => sum + counts[state], 0) - counts.split;

/** The counts in words: `12 completed, 3 waiting`. */
export function countsInWords(counts: SliceCounts): string {
  return sliceStates
    .filter((state) => counts[state] > 0)
    .map((state) => `${inDigits(counts[state])} ${state}`)
    .join(', ');
}
