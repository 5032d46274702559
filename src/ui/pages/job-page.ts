import type { ExportJob } from '#export-jobs/export-job.ts';
import { hasEnded } from '#export-jobs/job-state.ts';
import type { SliceGrid } from '#export-jobs/operations/read-slice-grid.ts';
import type { VerifiedTotals } from '#export-jobs/verification/verification-view.ts';
import { countOf, inDigits } from '#problems/limits.ts';
import { instant, instantAgo, outOf } from '../html/formats.ts';
import { asCode, type Html, html, nameOf, prose } from '../html/html.ts';
import type { UiPage } from '../html/layout.ts';
import { facts } from '../html/table.ts';
import { sliceGrid } from '../pictures/grid.ts';
import { badge, countsInWords, progressBar } from '../pictures/slice-states.ts';
import { labelSince, problemBox } from './problem-view.ts';
import { type SliceList, sliceList } from './slice-list.ts';

/** What a button has done, as the page says it afterwards. */
export const notices = {
  'cancel-requested': 'The cancel of the job was requested.',
  retried: 'The failed slices are in the queue again.',
} as const;

/** What the page of a job shows. */
export interface JobView {
  basePath: string;
  now: number;
  job: ExportJob;
  version: number;
  grid: SliceGrid;
  slices: SliceList;
  notice?: keyof typeof notices | undefined;
  /** The form token of the session. */
  token: string;
  mayCancel: boolean;
  mayRetry: boolean;
}

/** A job with its slices, its failures and its buttons. */
export function jobPage(view: JobView): UiPage {
  const { basePath, now, job, version, grid, slices, notice } = view;
  const path = `${basePath}/ui/jobs/${encodeURIComponent(job.id)}`;
  const isOver = hasEnded(job.state);
  return {
    title: `Job ${job.name ?? job.id.slice(0, 8)}`,
    current: 'jobs',
    events: isOver ? undefined : `${path}/events?lastEventId=${version}`,
    content: html`<h1>Job ${job.name === undefined ? asCode(job.id) : nameOf(job.name)}</h1>
${notice !== undefined && html`<p class="notice" role="status">${notices[notice]}</p>`}
<p class="unseen" role="status" id="progress" data-text>${job.state}: ${countsInWords(job.sliceCounts)}</p>
<div id="job-facts" data-part>
<p class="state-line">${badge(job.state)} ${progressBar(job.sliceCounts)} ${countsInWords(job.sliceCounts)}</p>
${jobFacts(view)}
${warnings(job)}
</div>
<div id="job-buttons" data-part>${buttons(path, view)}</div>
<div id="job-problems" data-part>${problems(path, view)}</div>
<h2 id="grid-title">Slices</h2>
<div id="job-grid" data-part>${sliceGrid(path, slices.query, grid)}</div>
<div id="job-slices" data-part>${sliceList(path, slices)}</div>
<p class="note">Page of ${instant(now)}.${!isOver && ' It follows the job by itself if scripts are enabled.'}</p>`,
  };
}

function jobFacts({ basePath, now, job }: JobView): Html {
  const { queue } = job;
  return facts([
    ['Id', asCode(job.id)],
    [
      'Target',
      html`<a href="${basePath}/ui/targets/${encodeURIComponent(job.target)}">${nameOf(job.target)}</a>`,
    ],
    ['Caller', nameOf(job.caller)],
    ['Archive', job.archiveId !== undefined && archiveOf(basePath, job.archiveId, job.revision)],
    ['Priority', job.priority],
    ['Time range', html`${instant(job.from)} to ${instant(job.to)}`],
    ['Sent by an AWS client', job.taskParameters && sentRange(job.taskParameters)],
    ['Split by', `${job.sliceBy}${job.sliceBy === 'none' ? '' : `, ${job.timeZone}`}`],
    [
      'Destination',
      html`${asCode(job.destination)} <span class="note">prefix</span> ${asCode(job.destinationPrefix)}`,
    ],
    ['Accepted', instantAgo(job.acceptedAt, now)],
    ['Not before', job.notBeforeAt !== undefined && instantAgo(job.notBeforeAt, now)],
    ['Started', job.startedAt !== undefined && instantAgo(job.startedAt, now)],
    [
      'Cancel requested',
      job.cancelRequestedAt !== undefined && instantAgo(job.cancelRequestedAt, now),
    ],
    ['Ended', job.endedAt !== undefined && instantAgo(job.endedAt, now)],
    ['Verification', job.verification],
    ['Found in S3', job.verified && verifiedInWords(job.verified)],
    ['Position in the queue', queue && inDigits(queue.position)],
    [
      'Next start, estimated',
      queue?.estimatedStartAt !== undefined && instantAgo(queue.estimatedStartAt, now),
    ],
    [
      'End, estimated',
      queue?.estimatedEndAt !== undefined && instantAgo(queue.estimatedEndAt, now),
    ],
  ]);
}

/** The time range as the client sent it: seconds look like milliseconds, and its end can be before its start. */
function sentRange({ from, to }: NonNullable<ExportJob['taskParameters']>): Html {
  return html`<span class="note">from</span> ${asCode(String(from))} <span class="note">to</span> ${asCode(String(to))}`;
}

function archiveOf(basePath: string, archiveId: string, revision = 1): Html {
  const url = `${basePath}/ui/archives/${encodeURIComponent(archiveId)}`;
  return html`<a href="${url}">${asCode(archiveId)}</a> <span class="note">revision</span> ${revision}`;
}

/** The warnings of the job, as the API shows them. */
function warnings({ warnings: all = [] }: ExportJob): Html {
  if (all.length === 0) return html``;
  return html`<h2>Warnings</h2>
<ul id="warnings">${all.map(({ detail }) => html`<li>${prose(detail)}</li>`)}</ul>`;
}

/** The totals in words: `14 objects, 81,264 bytes, 14 log streams`. */
function verifiedInWords(verified: VerifiedTotals): string | false {
  const {
    slices,
    objects,
    bytes,
    streams,
    emptySlices,
    skippedSlices,
    unprovenSlices,
    uncountedSlices,
  } = verified;
  if (slices + skippedSlices === 0) return false;
  const found = [
    countOf(objects, 'object'),
    countOf(bytes, 'byte'),
    countOf(streams, 'log stream'),
    emptySlices > 0 && countOf(emptySlices, 'empty slice'),
    unprovenSlices > 0 && `${countOf(unprovenSlices, 'slice')} not proved to be empty`,
    uncountedSlices > 0 && `${countOf(uncountedSlices, 'slice')} not counted`,
    skippedSlices > 0 && `${countOf(skippedSlices, 'slice')} not verified`,
  ];
  return found.filter((text) => text !== false).join(', ');
}

function buttons(path: string, { job, token, mayCancel, mayRetry }: JobView): Html {
  const hidden = html`<input type="hidden" name="token" value="${token}">`;
  const isCancelRequested = job.cancelRequestedAt !== undefined;
  const isFailed = job.sliceCounts.failed > 0;
  const canRetry = mayRetry && isFailed && job.links.retry !== undefined;
  const canCancel = mayCancel && !hasEnded(job.state) && !isCancelRequested;
  return html`${
    canRetry &&
    html`<form method="post" action="${path}/retry">${hidden}<button id="retry">Retry ${countOf(job.sliceCounts.failed, 'failed slice')}</button></form>`
  }
${
  isFailed &&
  job.archiveId !== undefined &&
  html`<p class="note">The archive exports a failed partition again, a few times. After that, or to export it at once, request a backfill with <code>"reprocess": "failed"</code>.</p>`
}
${
  canCancel &&
  html`<details id="cancel-job"><summary>Cancel this job</summary>
<p>Waiting slices are cancelled at once, and the running export task through AWS. A cancelled job cannot be retried. Exported objects stay in the bucket.</p>
<form method="post" action="${path}/cancel">${hidden}<button id="cancel" class="danger">Cancel the job</button></form></details>`
}`;
}

function problems(path: string, { job, now }: JobView): Html {
  const { failures, queue, sliceCounts } = job;
  if (failures.length === 0 && !queue?.problem) return html``;
  return html`<h2>Problems</h2>
${queue?.problem && problemBox(queue.problem, labelSince('Waiting slices of this target do not start', queue.problem.since, now))}
${failures.map(({ slices, problem }) =>
  problemBox(problem, failedSlices(slices, sliceCounts.failed)),
)}
${failures.length > 0 && html`<p><a href="${path}?state=failed#job-slices">List the failed slices</a></p>`}`;
}

function failedSlices(slices: number, all: number): string {
  return slices === all ? countOf(all, 'failed slice') : `${outOf(slices, all)} failed slices`;
}
