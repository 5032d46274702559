import { describe, expect, test } from 'vitest';

import { Problem } from '#problems/problem.ts';
import { toMarkup } from '#ui/html/html.ts';
import { type TargetView, targetPage } from '#ui/pages/target-page.ts';
import { readLogMessages } from '../house/log-messages.ts';

const now = Date.UTC(2024, 4, 4, 12);
const seenAt = '2024-05-04T11:59:55.000Z';
const since = '2024-05-04T11:50:00.000Z';
const target: TargetView['target'] = {
  name: 'default',
  region: 'eu-west-1',
  accountId: '123456789012',
  isDefault: false,
  state: 'ready',
  since: now - 60_000,
  problem: undefined,
};

const pageOf = (view: Partial<TargetView>) =>
  toMarkup(
    targetPage({
      basePath: '',
      now,
      target,
      status: {},
      problems: [],
      timeline: undefined,
      hours: 1,
      ...view,
    }).content,
  ).replaceAll('<wbr>', '');

describe('the page of a target', () => {
  test('says that the state of the slot of a ready target is not known', () => {
    expect(pageOf({})).toContain('The state of the slot is not known now.');
  });

  test('says that the service calls AWS only when the target is ready', () => {
    const page = pageOf({ target: { ...target, state: 'unchecked', accountId: undefined } });

    expect(page).toContain('AWS is called only when the target is ready.');
    expect(page).toContain('not known yet');
  });

  test('shows no queue, no timeline and no link to jobs when jobs are off', () => {
    const page = pageOf({ status: { slot: { state: 'free', seenAt } } });

    expect(page).toContain('No export task is active.');
    expect(page).not.toMatch(/<h2>Queue|target-timeline|Jobs of this target|Busy in/);
  });

  test.each([
    ['nothing of an empty queue', 0, 0, 'No slice waits.'],
    ['that slices are ready', 2, 1, 'Slices are ready.'],
    ['that no waiting slice can start yet', 2, 0, 'until their log events are exportable'],
  ])('says beside a free slot %s', (_case, waiting, ready, expected) => {
    const queue = { waiting, ready, callers: [] };

    const page = pageOf({ status: { slot: { state: 'free', seenAt }, queue } });

    expect(page).toContain(expected);
  });

  test.each([
    ['the slot is free', { state: 'free' as const, seenAt }],
    ['AWS does not say what is in the slot', undefined],
  ])('names the log lines of ready slices beside a problem while %s', (_case, slot) => {
    const problem = new Problem('aws-throttled', 'Refused.');
    const queue = { waiting: 1, ready: 1, callers: [] };

    const page = pageOf({
      status: { queue, ...(slot && { slot }) },
      problems: [{ problem, label: 'refused' }],
    });

    const causes = readLogMessages('src/auth/authorization', ['error'])
      .filter(({ text }) => text.endsWith('no slice starts'))
      .map(({ text }) => `<code>${text.split(';')[0]}</code>`);
    expect(causes).toHaveLength(2);
    expect(causes.filter((cause) => !page.includes(cause))).toEqual([]);
  });

  test('links the slice that holds the slot', () => {
    const slot = { state: 'ours' as const, jobId: 'a job', slice: 3, since, seenAt };

    const page = pageOf({ basePath: '/logs', status: { slot, busyShareLastHour: 0.805 } });

    expect(page).toContain('<a href="/logs/ui/jobs/a%20job">Slice 3 of an export job</a>');
    expect(page).toContain('(10 min)');
    expect(page).toContain('81 %');
  });

  test('names no job that the caller may not see', () => {
    const page = pageOf({ status: { slot: { state: 'ours', seenAt } } });

    expect(page).toContain('An export job that you may not see holds the slot.');
  });

  test('shows what a foreign task exports, and that waiting slices start after it', () => {
    const slot = {
      state: 'foreign' as const,
      taskId: 'task-1',
      taskName: 'by hand',
      logGroupName: '/shop',
      since,
      seenAt,
    };
    const queue = { waiting: 1, ready: 1, callers: [] };

    const page = pageOf({ status: { slot, queue } });

    for (const text of ['task-1', 'by hand', '/shop']) expect(page).toContain(`<bdi>${text}</bdi>`);
    expect(page).toContain('Waiting slices start when this task has ended.');
  });

  test('shows only that a foreign task holds the slot if the caller may not see more', () => {
    const queue = { waiting: 0, ready: 0, callers: [] };

    const page = pageOf({ status: { slot: { state: 'foreign', seenAt }, queue } });

    expect(page).toContain('A task that no export job has created holds the slot.');
    expect(page).not.toMatch(/Task name|Log group|Waiting slices start/);
  });

  test('shows the problems of the target with their labels', () => {
    const problem = new Problem('aws-timeout', 'No answer.', { remedy: 'See GET /problems.' });

    const page = pageOf({ basePath: '/logs', problems: [{ problem, label: 'of its check' }] });

    expect(page).toContain('href="/logs/problems/aws-timeout"');
    expect(page).toContain('of its check');
    expect(page).toContain('See GET /logs/problems.');
  });

  test('lists fifty queues of callers and counts the others', () => {
    const callers = Array.from({ length: 52 }, (_, index) => ({
      priority: 0,
      waiting: 1,
      ready: 0,
      ...(index > 0 && { caller: `caller-${index}` }),
    }));

    const page = pageOf({ status: { queue: { waiting: 52, ready: 0, callers } } });

    expect(page).toContain('callers that you may not see');
    expect(page).toContain('caller-49');
    expect(page).not.toContain('caller-50');
    expect(page).toContain('2 more queues not shown.');
  });

  test('lists the latest ten foreign tasks of the hours that are shown', () => {
    const foreignTasks = Array.from({ length: 11 }, (_, index) => ({
      from: now - index * 60_000 - 30_000,
      to: now - index * 60_000,
      ...(index > 0 && { taskId: `task-${index}`, logGroupName: `/group-${index}` }),
    }));
    const timeline = { from: now - 6 * 3_600_000, to: now, callers: [], foreignTasks, waits: [] };

    const page = pageOf({ target: { ...target, isDefault: true }, timeline, hours: 6 });

    expect(page).toContain('<h2>Last 6 hours</h2>');
    expect(page).toContain('not shown');
    expect(page).toContain('task-9');
    expect(page).not.toContain('task-10');
  });

  test('lists no foreign task of an hour that had none', () => {
    const timeline = { from: now - 3_600_000, to: now, callers: [], foreignTasks: [], waits: [] };

    const page = pageOf({ timeline });

    expect(page).toContain('<h2>Last hour</h2>');
    expect(page).not.toContain('id="foreign-tasks"');
  });
});
