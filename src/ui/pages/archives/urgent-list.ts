import type { LogGroupRun } from '#archives/store/reads/read-coverage-page.ts';
import { showProblem } from '#export-jobs/export-job.ts';
import { instant, instantAgo } from '../../html/formats.ts';
import { asCode, type Html, html } from '../../html/html.ts';
import { table } from '../../html/table.ts';
import { badge } from '../../pictures/slice-states.ts';
import { problemLink } from '../problem-view.ts';

/** What the list needs of the page of an archive. */
interface UrgentView {
  basePath: string;
  now: number;
  urgentRuns: readonly LogGroupRun[];
}

const causes: Record<string, string> = {
  retention: 'the log events have expired',
  'log-group-deleted': 'the log group was deleted',
};

/** The partitions of the archive with its page at a path that need attention: those at risk first. */
export function urgentList(path: string, { basePath, now, urgentRuns }: UrgentView): Html {
  if (urgentRuns.length === 0) return html``;
  return html`<h2>What needs attention</h2>
${table(
  'Partitions at risk, then those that failed or are lost',
  [
    { label: 'State', cell: ({ state }) => badge(state) },
    { label: 'Log group', cell: ({ logGroupName }) => asCode(logGroupName) },
    {
      label: 'Time range',
      cell: ({ fromAt, toAt }) => html`${instant(fromAt)} to ${instant(toAt)}`,
    },
    {
      label: 'Cause',
      cell: ({ cause, problem }) => {
        if (problem !== undefined) return problemLink(showProblem(problem, basePath));
        return cause === undefined ? '' : (causes[cause] ?? cause);
      },
    },
    { label: 'Next try', cell: ({ retryAt }) => retryAt !== undefined && instantAgo(retryAt, now) },
    {
      label: 'Job',
      cell: ({ jobId }) =>
        jobId !== undefined &&
        html`<a href="${basePath}/ui/jobs/${encodeURIComponent(jobId)}">${jobId.slice(0, 8)}</a>`,
    },
  ],
  urgentRuns,
)}
<p class="note">At most 20 are listed. <a href="${path}/coverage">The coverage</a> has all of them, by <code>state</code>.</p>`;
}
