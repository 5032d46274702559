import type { GridColumn, GridQuery, SliceGrid } from '#export-jobs/operations/read-slice-grid.ts';
import type { SliceCounts, SliceState } from '#export-jobs/slice.ts';
import { countOf, inDigits } from '#problems/limits.ts';
import { toDateTime } from '#time/date-time.ts';
import { inUtc } from '../html/formats.ts';
import { asCode, type Html, html } from '../html/html.ts';
import { urlOf } from '../html/table.ts';
import { countAll, countsInWords } from './slice-states.ts';

// The state that a cell of several slices has the colour of: the first one that any of them has.
const precedence: readonly SliceState[] = [
  'failed',
  'cancelling',
  'verifying',
  'running',
  'starting',
  'waiting',
  'cancelled',
  'completed',
  'split',
];
const signs: Record<SliceState, string> = {
  waiting: '·',
  starting: '▸',
  running: '▶',
  cancelling: '◇',
  verifying: '◎',
  completed: '✓',
  failed: '✕',
  cancelled: '–',
  split: '÷',
};

/** Draws the slices of a job: a row for each log group, a column for each window or range of windows. */
export function sliceGrid(path: string, query: GridQuery, grid: SliceGrid): Html {
  const { columns, rows, windows } = grid;
  const isRanged = columns.some(({ fromWindow, toWindow }) => toWindow - fromWindow > 1);
  return html`<p class="note">${countOf(grid.logGroups, 'log group')} × ${countOf(windows, 'time range')}.
${isRanged && 'Each cell is several slices. The links of the columns lead to their time ranges.'}</p>
<div class="scroll" id="grid-scroll" tabindex="0" role="region" aria-labelledby="grid-title">
<table class="grid">
<thead><tr><th scope="col">Log group</th>${columns.map((column) => heading(path, query, column))}</tr></thead>
<tbody>
${rows.map(
  ({ logGroupName, cells }) =>
    html`<tr><th scope="row">${asCode(logGroupName)}</th>${cells.map(cell)}</tr>
`,
)}</tbody>
</table>
</div>
${otherParts(path, query, grid)}`;
}

function heading(path: string, query: GridQuery, column: GridColumn): Html {
  const { fromWindow, toWindow, fromAt, toAt } = column;
  const [from, to] = [toDateTime(fromAt), toDateTime(toAt)];
  const text = html`<span class="day">${from.slice(5, 10)}</span> <span class="hour">${from.slice(11, 16)}</span>`;
  const title = `${inUtc(from)} to ${inUtc(to)}`;
  const isRange = toWindow - fromWindow > 1;
  const url = urlOf(path, { ...query, fromWindow, toWindow });
  return html`<th scope="col" title="${title}">${isRange ? html`<a href="${url}#grid-title">${text}</a>` : text}</th>`;
}

function cell(counts: SliceCounts): Html {
  const total = countAll(counts);
  const state = precedence.find((each) => counts[each] > 0) ?? 'waiting';
  const done = Math.floor((counts.completed / total) * 100);
  const isUniform = counts[state] === total;
  const words = total === 1 ? state : countsInWords(counts);
  return html`<td class="${state}" title="${words}"><span aria-hidden="true">${isUniform ? signs[state] : `${done}%`}</span><span class="unseen">${words}</span></td>`;
}

function otherParts(path: string, query: GridQuery, grid: SliceGrid): Html {
  const { logGroups, windows, fromGroup, previousGroup, fromWindow, toWindow, rows } = grid;
  const nextGroup = fromGroup + rows.length;
  const link = (text: string, part: GridQuery) =>
    html`<a href="${urlOf(path, { ...query, ...part })}#grid-title">${text}</a> `;
  const links = [
    toWindow - fromWindow < windows &&
      html`<a href="${urlOf(path, { ...query, fromWindow: undefined, toWindow: undefined })}#grid-title">All time ranges</a> `,
    fromGroup > 0 && link('Previous log groups', { fromGroup: previousGroup }),
    nextGroup < logGroups && link('Next log groups', { fromGroup: nextGroup }),
  ].filter((each) => each !== false);
  const shown = `Log groups ${inDigits(fromGroup + 1)} to ${inDigits(nextGroup)} of ${inDigits(logGroups)}.`;
  return html`${links.length > 0 && html`<nav class="paging" aria-label="Parts of the grid">${logGroups > rows.length && shown} ${links}</nav>`}`;
}
