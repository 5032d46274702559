import { describe, expect, test } from 'vitest';

import type { JobDocument } from '#cli/documents.ts';
import { cleanText, shorten, widthOf, wrap } from '#cli/output/clean-text.ts';
import { ageOf, progressOf } from '#cli/output/job-texts.ts';
import { remedyText } from '#cli/output/problem-lines.ts';

const noSlices = {
  waiting: 0,
  starting: 0,
  running: 0,
  cancelling: 0,
  verifying: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  split: 0,
};
const now = Date.parse('2024-05-10T12:00:00Z');
const progress = (counts: Partial<typeof noSlices>, queue?: JobDocument['queue']) =>
  progressOf({ sliceCounts: { ...noSlices, ...counts }, queue } as JobDocument, now);

describe('the progress of a job', () => {
  test('shows the completed and failed slices, the slices ahead, and the estimated end', () => {
    const queue = { position: 3, estimatedEndAt: '2024-05-10T14:20:31.000Z' };

    expect(progress({ completed: 18, failed: 1, running: 1, waiting: 70 }, queue)).toBe(
      '18/90 · 1 failed · 2 ahead · ends ~14:20',
    );
  });

  test('omits what is zero or unknown, and does not count split slices', () => {
    expect(progress({ completed: 1, running: 1, split: 1 })).toBe('1/2');
    expect(progress({ waiting: 1 }, { position: 1 })).toBe('0/1');
  });

  test('shows the date of an end that is not today', () => {
    const queue = { position: 1, estimatedEndAt: '2024-05-12T01:05:00.000Z' };

    expect(progress({ waiting: 2 }, queue)).toBe('0/2 · ends ~05-12 01:05');
  });

  test('shows cancelled slices, and why nothing starts', () => {
    const problem = { type: '/problems/x', title: 'Target misconfigured', detail: '', remedy: '' };

    expect(progress({ cancelled: 1, waiting: 1 }, { position: 1, problem })).toBe(
      '0/2 · 1 cancelled · Target misconfigured',
    );
  });
});

describe('a text for a terminal', () => {
  test.each([
    ['a\u001b[31mb', 'a\\u001b[31mb'],
    ['two\nlines\ttab', 'two\\u000alines\\u0009tab'],
    ['\u009b2J', '\\u009b2J'],
    ['a\u202eb', 'a\\u202eb'],
    ['a\ud800b', 'a\\ud800b'],
    ['\u{e0001}', '\\udb40\\udc01'],
    ['Überwachung 日志 🙂', 'Überwachung 日志 🙂'],
  ])('has no control characters: %j', (text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });

  test('is measured in cells', () => {
    expect(widthOf('日志')).toBe(4);
    expect(widthOf('e\u0301')).toBe(1);
    expect(widthOf('🙂')).toBe(2);
  });

  test.each([
    ['checkout', 8, 'checkout'],
    ['checkout', 7, 'checko…'],
    ['日志日志', 6, '日志…'],
    ['checkout', 0, ''],
  ])('%s is shortened to %i cells: %s', (text, width, short) => {
    expect(shorten(text, width)).toBe(short);
  });

  test('is wrapped at spaces, and long words stay whole', () => {
    expect(wrap('a bc 0123456789 d', 5)).toEqual(['a bc', '0123456789', 'd']);
  });
});

test.each([
  ['2024-05-10T11:59:58Z', '2s'],
  ['2024-05-10T11:55:00Z', '5m'],
  ['2024-05-09T13:00:00Z', '23h'],
  ['2024-05-01T12:00:00Z', '9d'],
  ['2024-05-10T12:00:01Z', '0s'],
])('the age of %s is %s', (at, age) => {
  expect(ageOf(at, now)).toBe(age);
});

describe('a remedy', () => {
  test.each([
    ['POST /export-jobs/{jobId}/retry', 'retry <job id>'],
    ['POST /exports/export-jobs/{jobId}/cancel', 'cancel <job id>'],
    ['GET /export-jobs/{jobId}', 'show <job id>'],
    ['GET /export-jobs', 'jobs'],
    ['GET /export-jobs?caller=*', "jobs --caller '*'"],
    ['POST /export-jobs', 'run'],
    ['POST /preflights', 'preflight'],
    ['GET /archives', 'archives'],
    ['GET /archives?caller=*', "archives --caller '*'"],
    ['GET /targets', 'targets'],
    ['GET /problems', 'problems'],
  ])('has the command of %s: %s', (operation, command) => {
    expect(remedyText(`Fix it with ${operation}. Then wait.`, 'npx log-export')).toBe(
      `Fix it with ${operation} (npx log-export ${command}). Then wait.`,
    );
  });

  test.each([
    'GET /export-tasks',
    'POST /archives/{archiveId}/backfills',
    'GET /export-jobs/{jobId}/slices',
  ])('keeps %s, which has no command', (operation) => {
    expect(remedyText(`Use ${operation}, or wait.`, 'log-export')).toBe(
      `Use ${operation}, or wait.`,
    );
  });
});
