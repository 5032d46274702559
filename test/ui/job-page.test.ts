import { describe, expect, test } from 'vitest';

import type { ExportJob } from '#export-jobs/export-job.ts';
import { exampleAccepted, exampleJob } from '#export-jobs/presenters/example-jobs.ts';
import { toMarkup } from '#ui/html/html.ts';
import { type JobView, jobPage } from '#ui/pages/job-page.ts';

const now = Date.parse('2024-05-04T12:00:00Z');
const at = '2024-05-04T11:00:00.000Z';
const problem = {
  type: '/problems/aws-timeout',
  title: 'AWS did not answer',
  detail: 'No answer.',
  isRetryable: true,
  remedy: 'Retry it.',
};
const { startedAt: _started, endedAt: _ended, ...accepted } = exampleAccepted;
const failed: ExportJob = {
  ...exampleJob,
  sliceCounts: { ...exampleJob.sliceCounts, completed: 1, failed: 2 },
  state: 'failed',
};

function pageOf(job: ExportJob, view: Partial<JobView> = {}) {
  const grid = {
    logGroups: 1,
    windows: 0,
    fromGroup: 0,
    previousGroup: 0,
    fromWindow: 0,
    toWindow: 0,
    columns: [],
    rows: [],
  };
  const page = jobPage({
    basePath: '',
    now,
    job,
    version: 7,
    grid,
    slices: { query: {}, entries: [] },
    token: 'form-token',
    mayCancel: true,
    mayRetry: true,
    ...view,
  });
  return { ...page, markup: toMarkup(page.content) };
}

describe('the page of a job', () => {
  test('follows a job that has not ended, and offers to cancel it', () => {
    const { events, markup } = pageOf(accepted);

    expect(events).toBe(`/ui/jobs/${exampleJob.id}/events?lastEventId=7`);
    expect(markup).toContain('It follows the job by itself');
    expect(markup).toContain('<button id="cancel"');
    expect(markup).not.toContain('Found in S3');
  });

  test('offers no button for a job that has completed', () => {
    const { events, markup } = pageOf(exampleJob);

    expect(events).toBeUndefined();
    expect(markup).not.toContain('<button');
    expect(markup).toContain('14 objects, 81,264 bytes, 14 log streams');
  });

  test('names what the verification leaves open', () => {
    const verified = {
      ...exampleJob.verified,
      emptySlices: 1,
      unprovenSlices: 1,
      uncountedSlices: 2,
      skippedSlices: 3,
    };

    expect(pageOf({ ...exampleJob, verified }).markup).toContain(
      '1 empty slice, 1 slice not proved to be empty, 2 slices not counted, 3 slices not verified',
    );
  });

  test('shows the id of a job without a name, and every instant that it has', () => {
    const { name: _name, ...unnamed } = accepted;
    const queue = { position: 4, estimatedStartAt: at, estimatedEndAt: at, problem };

    const { title, markup } = pageOf({
      ...unnamed,
      sliceBy: 'none',
      notBeforeAt: at,
      cancelRequestedAt: at,
      queue,
      warnings: [{ code: 'estimated', detail: 'Look at `from`.' } as never],
    });

    expect(title).toBe(`Job ${exampleJob.id.slice(0, 8)}`);
    for (const label of ['Not before', 'Cancel requested', 'Next start', 'End, estimated'])
      expect(markup).toContain(label);
    expect(markup).toContain('Waiting slices of this target do not start');
    expect(markup).toContain('<li>Look at <code>from</code>.</li>');
    expect(markup).not.toContain('List the failed slices');
    expect(markup).not.toContain('<button id="cancel"');
  });

  test('offers to retry failed slices, and shows how many have each problem', () => {
    const failures = [{ slices: 1, problem }];

    const { markup } = pageOf({ ...failed, failures }, { notice: 'retried' });

    expect(markup).toContain('Retry 2 failed slices');
    expect(markup).toContain('1 of 2 failed slices');
    expect(markup).toContain('The failed slices are in the queue again.');
  });

  test('says that all failed slices have the same problem', () => {
    const { markup } = pageOf(
      { ...failed, failures: [{ slices: 2, problem }] },
      { mayRetry: false },
    );

    expect(markup).toContain('<p class="note">2 failed slices</p>');
    expect(markup).not.toContain('<button id="retry"');
  });

  test.each([
    [undefined, 1],
    [3, 3],
  ])('says that the archive exports the partition again, at revision %s', (revision, shown) => {
    const { retry: _retry, ...links } = failed.links;
    const job = {
      ...failed,
      links,
      archiveId: 'archive-1',
      ...(revision !== undefined && { revision }),
    };

    const { markup } = pageOf(job);

    expect(markup).toContain('The archive exports a failed partition again,');
    expect(markup).toContain(`<span class="note">revision</span> ${shown}`);
    expect(markup).not.toContain('<button id="retry"');
  });
});
