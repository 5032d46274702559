import type { SliceListQuery } from '#export-jobs/operations/list-slices-of-job.ts';
import type { GridQuery } from '#export-jobs/operations/read-slice-grid.ts';
import type { Slice } from '#export-jobs/presenters/show-slice.ts';
import { sliceStates } from '#export-jobs/slice.ts';
import { inDigits } from '#problems/limits.ts';
import { instant } from '../html/formats.ts';
import { asCode, type Html, html } from '../html/html.ts';
import { paging, table, urlOf } from '../html/table.ts';
import { badge } from '../pictures/slice-states.ts';
import { problemLink } from './problem-view.ts';

/** A page of the slices of a job. */
export interface SliceList {
  query: SliceListQuery & GridQuery;
  entries: readonly Slice[];
  nextCursor?: string;
}

/** The list of slices with their latest attempts. */
export function sliceList(path: string, { query, entries, nextCursor }: SliceList): Html {
  const states = [undefined, ...sliceStates].map((state) => {
    const isCurrent = state === query.state;
    const url = urlOf(path, { ...query, state, cursor: undefined });
    return html`<a href="${url}"${isCurrent && html` aria-current="true"`}>${state ?? 'all'}</a> `;
  });
  return html`<nav class="states" aria-label="Slices by state">List: ${states}</nav>
${
  entries.length === 0
    ? html`<p class="empty">No slice is in this state.</p>`
    : table(
        'Slices of the job by number, each with its latest attempt',
        [
          { label: 'Slice', cell: ({ number }) => inDigits(number) },
          { label: 'State', cell: stateOf },
          { label: 'Log group', cell: ({ logGroupName }) => asCode(logGroupName) },
          { label: 'Time range', cell: ({ from, to }) => html`${instant(from)} to ${instant(to)}` },
          { label: 'Attempts', cell: ({ attempts }) => attempts.length },
          { label: 'Export task', cell: latestTask },
          { label: 'Objects', cell: objectsOf },
          {
            label: 'Problem',
            cell: ({ problem }) =>
              problem
                ? html`${problemLink(problem)}<br><span class="note">${problem.detail}</span>`
                : '',
          },
        ],
        entries,
      )
}
${paging(path, query, nextCursor)}`;
}

function stateOf({ state, parent }: Slice): Html {
  const origin =
    parent !== undefined && html`<br><span class="note">part of slice ${inDigits(parent)}</span>`;
  return html`${badge(state)}${origin}`;
}

function objectsOf({ verification }: Slice): string {
  if (!verification) return '';
  const { objects } = verification;
  return objects === undefined ? 'not verified' : inDigits(objects);
}

function latestTask({ attempts }: Slice): Html | string {
  const taskId = attempts.at(-1)?.taskId;
  return taskId === undefined ? '' : asCode(taskId);
}
