import type { PartitionState } from '#archives/archive.ts';
import type { PartitionCounts } from '#archives/operations/read-archive-grid.ts';
import { inDigits } from '#problems/limits.ts';
import { type Html, html } from '../html/html.ts';

/** The states of partitions, the most urgent first: a cell of several has the colour and sign of the first. */
export const statesByUrgency: readonly PartitionState[] = [
  'atRisk',
  'lost',
  'missing',
  'running',
  'waiting',
  'open',
  'waived',
  'covered',
];

/** A sign for each state, so that no state is a colour alone. */
export const signOf: Record<PartitionState, string> = {
  atRisk: '!',
  lost: 'L',
  missing: '✕',
  running: '▶',
  waiting: '○',
  open: '·',
  waived: 'W',
  covered: '✓',
};

/** What each state means. */
const meaningOf: Record<PartitionState, string> = {
  atRisk: 'at risk: its log events expire soon',
  lost: 'lost: its log events are gone',
  missing: 'missing: its export failed, or it needs a backfill',
  running: 'running',
  waiting: 'waiting for its export',
  open: 'open: not due yet',
  waived: 'waived: it needs no export',
  covered: 'covered: exported and verified',
};

/** The counts in words, the most urgent first: `2 atRisk, 10 covered`. */
export function partitionsInWords(counts: PartitionCounts): string {
  return statesByUrgency
    .filter((state) => counts[state] > 0)
    .map((state) => `${inDigits(counts[state])} ${state}`)
    .join(', ');
}

/** Draws the partitions that are due as one bar. The text beside it says the same. */
export function coverageBar(counts: PartitionCounts): Html {
  const drawn = ['covered', 'waived', 'running', 'waiting', 'missing', 'lost', 'atRisk'] as const;
  const total = Math.max(
    1,
    drawn.reduce((sum, state) => sum + counts[state], 0),
  );
  let x = 0;
  const parts = drawn
    .filter((state) => counts[state] > 0)
    .map((state) => {
      const width = (counts[state] / total) * 1_000;
      const part = html`<rect class="${state}" x="${x.toFixed(1)}" y="0" width="${width.toFixed(1)}" height="10"/>`;
      x += width;
      return part;
    });
  return html`<svg class="progress" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">${parts}</svg>`;
}

/** The signs of the grid and their meanings. */
export const legend: Html = html`<ul class="legend partitions" aria-label="Signs of the grid">${statesByUrgency.map(
  (state) =>
    html`<li><span class="cell ${state}" aria-hidden="true">${signOf[state]}</span> ${meaningOf[state]}</li>`,
)}</ul>`;
