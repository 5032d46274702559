import type { ExportJob } from '#export-jobs/export-job.ts';
import { jobStates } from '#export-jobs/job-state.ts';
import type { JobListQuery } from '#export-jobs/operations/list-jobs.ts';
import { choice, field } from '../html/form.ts';
import { instant, outOf } from '../html/formats.ts';
import { html, nameOf } from '../html/html.ts';
import type { UiPage } from '../html/layout.ts';
import { listPage } from '../html/list-page.ts';
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
  return listPage({
    noun: 'job',
    heading: 'Jobs',
    caption: 'Export jobs, newest first',
    path,
    query,
    fields: [
      choice('State', 'state', jobStates, query.state),
      field('Target', 'target', query.target, 64),
      field('Name', 'name', query.name, 256),
      field('Caller', 'caller', query.caller, 1_024),
      field('Archive', 'archiveId', query.archiveId, 64),
    ],
    columns: [
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
    nextCursor,
  });
}
