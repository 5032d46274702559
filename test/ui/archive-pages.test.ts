import { describe, expect, test } from 'vitest';

import { type Archive, exampleArchive } from '#archives/presenters/archive-view.ts';
import { toMarkup } from '#ui/html/html.ts';
import { archiveListPage } from '#ui/pages/archives/archive-list-page.ts';
import { type ArchiveView, archivePage } from '#ui/pages/archives/archive-page.ts';
import { urgentList } from '#ui/pages/archives/urgent-list.ts';

const now = Date.parse('2024-05-04T12:00:00Z');
const at = '2024-05-05T12:00:00.000Z';
const { progress, logGroupNamePrefix: _prefix, ...unlooked } = exampleArchive;
const problem = {
  type: '/problems/aws-timeout',
  title: 'AWS did not answer',
  detail: 'No answer.',
  isRetryable: true,
  remedy: 'Retry it.',
};
const atRisk = {
  ...exampleArchive,
  progress: {
    ...progress,
    partitionCounts: { ...progress.partitionCounts, atRisk: 2 },
    nextExpiry: { at, logGroupName: '/demo/a' },
  },
};
const pause = { at: '2024-05-04T10:00:00.000Z', caller: 'ann', reason: 'a move' };

function pageOf(archive: Archive, view: Partial<ArchiveView> = {}) {
  const window = { fromAt: now - 86_400_000, toAt: now };
  const grid = {
    partitionBy: 'day' as const,
    step: 1,
    columns: [window],
    rows: [],
    logGroups: 0,
    fromGroup: 0,
    previousGroup: 0,
    nextGroup: 0,
    whole: window,
    earlier: undefined,
    later: undefined,
  };
  const token = 'form-token';
  const rest = { basePath: '', now, query: {}, grid, urgentRuns: [], token, mayChange: true };
  return toMarkup(archivePage({ ...rest, archive, ...view }).content).replaceAll('<wbr>', '');
}

describe('the page of an archive', () => {
  test('shows an archive that was not looked at yet', () => {
    const page = pageOf(unlooked);

    expect(page).toContain('not known yet');
    expect(page).not.toMatch(/partitions? at risk|Slot in the last day|Looked at/);
  });

  test('shows ten of many names of log groups, and everything else that is set', () => {
    const page = pageOf({
      ...unlooked,
      logGroupNames: Array.from({ length: 12 }, (_, index) => `/shop/${index}`),
      exceptLogGroupNamePrefixes: ['/shop/test'],
      to: at,
      refreshDays: 1,
      catchUpDays: 30,
      heartbeatOrigin: 'https://alarms.example',
    });

    expect(page).toContain('/shop/9');
    expect(page).not.toContain('/shop/10');
    for (const text of [
      'and 2 more',
      '/shop/test',
      '1 day after',
      '30 days back',
      'https://alarms',
    ])
      expect(page).toContain(text);
  });

  test('shows all names of an archive that has few', () => {
    expect(pageOf({ ...unlooked, logGroupNames: ['/shop'] })).not.toContain(' more');
  });

  test.each<[string, Partial<Archive>, string]>([
    ['to resume a paused archive', { pause, stopProblem: problem }, 'Resume the archive, or'],
    ['to fix the problem', { stopProblem: problem }, 'Fix the problem of the archive below'],
    ['to lengthen the retention', {}, 'find out why its exports wait'],
  ])('advises %s when partitions are at risk', (_case, members, expected) => {
    const page = pageOf({ ...atRisk, ...members });

    expect(page).toContain('2 partitions at risk');
    expect(page).toContain(expected);
  });

  test('says nothing of risk when the next expiry is not known', () => {
    const { nextExpiry: _next, ...withoutExpiry } = atRisk.progress;

    expect(pageOf({ ...atRisk, progress: withoutExpiry })).not.toContain('partitions at risk');
  });

  test('says why the list of log groups is incomplete', () => {
    const listingProblem = 'AWS denied it';
    const { watermark: _watermark, ...unmarked } = progress;

    const page = pageOf({ ...unlooked, progress: { ...unmarked, listingProblem } });

    expect(page).toContain('The list of log groups is incomplete or old: AWS denied it');
  });

  test('offers to pause a running archive and to resume a paused one', () => {
    expect(pageOf(exampleArchive, { notice: 'resumed' })).toContain('<button id="pause">');
    expect(pageOf({ ...exampleArchive, pause })).toContain('<button id="resume">');
  });

  test('offers no button without permission, or after the end', () => {
    expect(pageOf(exampleArchive, { mayChange: false })).not.toContain('<button');
    expect(pageOf({ ...exampleArchive, state: 'ended', endedAt: at })).not.toContain('<button');
  });
});

test('shows the problem or the cause of each urgent partition', () => {
  const run = { logGroupName: '/demo/a', incarnation: 1, fromAt: 0, toAt: now };
  const markup = toMarkup(
    urgentList('/logs/ui/archives/1', {
      basePath: '/logs',
      now,
      urgentRuns: [
        { ...run, state: 'atRisk' },
        { ...run, state: 'lost', cause: 'retention' },
        { ...run, state: 'lost', cause: 'another-cause' },
        {
          ...run,
          state: 'missing',
          problem: JSON.stringify(problem),
          retryAt: now + 60_000,
          jobId: 'job-12345678',
        },
      ],
    }),
  );

  expect(markup).toContain('the log events have expired');
  expect(markup).toContain('another-cause');
  expect(markup).toContain('href="/logs/problems/aws-timeout"');
  expect(markup).toContain('in 1 min');
  expect(markup).toContain('<a href="/logs/ui/jobs/job-12345678">job-1234</a>');
});

test('lists archives with what is known of each', () => {
  const { content } = archiveListPage({
    basePath: '/logs',
    now,
    query: {},
    entries: [unlooked, atRisk],
    nextCursor: 'next-page',
  });
  const markup = toMarkup(content);

  expect(markup).toContain('not known yet');
  expect(markup).toContain('2 atRisk');
  expect(markup).toContain('in 1 d');
  expect(markup).toContain('next-page');
});
