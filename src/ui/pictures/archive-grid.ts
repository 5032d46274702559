import type { PartitionState } from '#archives/archive.ts';
import type {
  ArchiveGrid,
  ArchiveGridCell,
  ArchiveGridQuery,
} from '#archives/operations/read-archive-grid.ts';
import { countOf, inDigits } from '#problems/limits.ts';
import { toDateTime } from '#time/date-time.ts';
import type { Window } from '#time/window.ts';
import { inUtc } from '../html/formats.ts';
import { asCode, type Html, html } from '../html/html.ts';
import { urlOf } from '../html/table.ts';
import { legend, partitionsInWords, signOf, statesByUrgency } from './partition-states.ts';

/**
 * Draws the partitions of an archive: a row for each log group, a column for each partition or range of them. A line
 * marks the watermark.
 */
export function archiveGrid(
  path: string,
  query: ArchiveGridQuery,
  grid: ArchiveGrid,
  watermarkAt: number | undefined,
): Html {
  const { columns, rows, step, partitionBy } = grid;
  if (grid.logGroups === 0) return html`<p class="empty">No log group is known yet.</p>`;
  const marked = columns.findIndex(
    ({ fromAt, toAt }) => watermarkAt !== undefined && fromAt <= watermarkAt && watermarkAt < toAt,
  );
  return html`<p class="note">${countOf(grid.logGroups, 'log group')} by ${partitionBy}, in UTC.
${step > 1 && 'Each cell is several partitions. The links of the columns lead to their time ranges.'}
A cell in several states has the sign of the most urgent one. Its number is the share of its time that is covered.</p>
${legend}
<div class="scroll newest" id="grid-scroll" tabindex="0" role="region" aria-labelledby="grid-title">
<table class="grid partitions">
<thead><tr><th scope="col">Log group</th>${columns.map((column, index) => heading(path, query, column, { step, isMarked: index === marked }))}</tr></thead>
<tbody>
${rows.map(
  ({ logGroupName, incarnation, isGone, cells }) =>
    html`<tr><th scope="row">${asCode(logGroupName)}${incarnation > 1 && html` <span class="note">created again (${incarnation})</span>`}${isGone && html` <span class="note">deleted</span>`}</th>${cells.map((each, index) => cell(each, { step, isMarked: index === marked }))}</tr>
`,
)}</tbody>
</table>
</div>
${otherParts(path, query, grid)}`;
}

function heading(
  path: string,
  query: ArchiveGridQuery,
  { fromAt, toAt }: Window,
  { step, isMarked }: { step: number; isMarked: boolean },
): Html {
  const [from, to] = [toDateTime(fromAt), toDateTime(toAt)];
  const time = from.slice(11, 16);
  const text = html`<span class="day">${from.slice(5, 10)}</span>${time !== '00:00' && html` <span class="hour">${time}</span>`}`;
  const title = `${inUtc(from)} to ${inUtc(to)}`;
  const url = urlOf(path, { ...query, fromAt, toAt });
  return html`<th scope="col" title="${title}"${isMarked && html` class="watermark"`}>${step > 1 ? html`<a href="${url}#grid-title">${text}</a>` : text}${isMarked && html`<span class="unseen"> watermark</span>`}</th>`;
}

function cell(
  { counts, coveredShare }: ArchiveGridCell,
  { step, isMarked }: { step: number; isMarked: boolean },
): Html {
  const mark = isMarked ? ' watermark' : '';
  const states = statesByUrgency.filter((each) => counts[each] > 0);
  const [state] = states;
  if (state === undefined) {
    return html`<td class="none${mark}"><span class="unseen">not in the archive</span></td>`;
  }
  const share = `${Math.floor(coveredShare * 100)}%`;
  const text = states.length > 1 ? `${signOf[state]} ${share}` : signOf[state];
  const words = step > 1 ? partitionsInWords(counts) : partitionInWords(states, share);
  return html`<td class="${state}${mark}" title="${words}"><span aria-hidden="true">${text}</span><span class="unseen">${words}</span></td>`;
}

/** The states of one partition in words: `waiting, 62% covered`. */
function partitionInWords(states: readonly PartitionState[], share: string): string {
  if (states.length === 1) return states.join();
  return [...states.filter((state) => state !== 'covered'), `${share} covered`].join(', ');
}

function otherParts(path: string, query: ArchiveGridQuery, grid: ArchiveGrid): Html {
  const { logGroups, fromGroup, previousGroup, nextGroup, whole, earlier, later, columns } = grid;
  const link = (text: string, part: { [Name in keyof ArchiveGridQuery]: number | undefined }) =>
    html`<a href="${urlOf(path, { ...query, ...part })}#grid-title">${text}</a> `;
  const isWhole = columns[0]?.fromAt === whole.fromAt && columns.at(-1)?.toAt === whole.toAt;
  const links = [
    earlier && link('Earlier', earlier),
    later && link('Later', later),
    later && link('Latest', { fromAt: undefined, toAt: undefined }),
    !isWhole && link('All time', whole),
    fromGroup > 0 && link('Previous log groups', { fromGroup: previousGroup }),
    nextGroup < logGroups && link('Next log groups', { fromGroup: nextGroup }),
  ].filter((each) => each !== undefined && each !== false);
  const shown = `Log groups ${inDigits(fromGroup + 1)} to ${inDigits(nextGroup)} of ${inDigits(logGroups)}.`;
  return html`${links.length > 0 && html`<nav class="paging" aria-label="Parts of the grid">${logGroups > nextGroup - fromGroup && shown} ${links}</nav>`}`;
}
