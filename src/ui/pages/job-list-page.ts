import type { ExportJob } from '#export-jobs/export-job.ts';
import { jobStates } from '#export-jobs/job-state.ts';
import type { JobListQuery } from '#export-jobs/operations/list-jobs.ts';
import { choice, field, filterForm } from '../html/form.ts';
import { instant, outOf } from '../html/formats.ts';
import { html, nameOf } from '../html/html.ts';
import type { UiPage } from '../html/layout.ts';
import { paging, table, urlOf } from '../html/table.ts';
import { badge, countAll, progressBar } from '../pictures/slice-states.ts';

/** What the page of the jobs shows. */
export interface JobListView {
  basePath: string;
  query: JobListQuery;
  entries: readonly ExportJob[];
  nextCursor?: string;
}

/** The list of jobs, the newest first. */
export function jobListPage({ basePath, query, entries, nextCursor }: JobListView): UiPage {
  const path = `${basePath}/ui/jobs`;
  const callerLink = (text: string, of: string | undefined) =>
    html`<a href="${urlOf(path, { ...query, caller: of, cursor: undefined })}"${query.caller === of && html` aria-current="true"`}>${text}</a> `;
  return {
    title: 'Jobs',
    current: 'jobs',
    content: html`<h1>Jobs</h1>
${filterForm(path, [
  choice('State', 'state', jobStates, query.state),
  field('Target', 'target', query.target, 64),
  field('Name', 'name', query.name, 256),
  field('Caller', 'caller', query.caller, 1_024),
  field('Archive', 'archiveId', query.archiveId, 64),
])}
<nav class="states" aria-label="Callers">${[
      callerLink('Your jobs', undefined),
      callerLink('All jobs that you may see', '*'),
    ]}</nav>
${
  entries.length === 0
    ? html`<p class="empty">${nextCursor === undefined ? 'No job that you may see matches.' : 'No job of this part of the list matches. The next page may have some.'}</p>`
    : table(
        'Export jobs, newest first',
        [
          {
            label: 'Job',
            cell: ({ id, name }) =>
              html`<a href="${path}/${encodeURIComponent(id)}">${name === undefined ? id.slice(0, 8) : nameOf(name)}</a>`,
          },
          { label: 'State', cell: ({ state }) => badge(state) },
          {
            label: 'Completed slices',
            cell: ({ sliceCounts }) =>
              html`${progressBar(sliceCounts)}${outOf(sliceCounts.completed, countAll(sliceCounts))}`,
          },
          { label: 'Target', cell: ({ target }) => nameOf(target) },
          { label: 'Caller', cell: (job) => nameOf(job.caller) },
          { label: 'Accepted', cell: ({ acceptedAt }) => instant(acceptedAt) },
          {
            label: 'Ended',
            cell: ({ endedAt }) => (endedAt === undefined ? '' : instant(endedAt)),
          },
        ],
        entries,
      )
}
${paging(path, query, nextCursor)}`,
  };
}
