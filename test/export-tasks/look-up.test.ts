import { describe, expect, test } from 'vitest';

import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { CreateOutcome } from '#aws/create-outcome.ts';
import type { ExportTask, ExportTaskPage } from '#aws/export-task.ts';
import { makeCreateOnce } from '#export-tasks/creating/create-once.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';

// Lists of AWS that the emulator does not give: full of others, without a Date, without members.

const task = {
  ...{ logGroupName: '/app', from: 1n, to: 2n },
  ...{ destination: 'archive', destinationPrefix: 'exportedlogs' },
};
const began = 1_800_000_000_000;

interface Lists {
  outcome?: CreateOutcome;
  pages: (query: Parameters<CloudWatchLogs['describeExportTasks']>[0]) => Partial<ExportTaskPage>;
  /** Milliseconds that each look takes. */
  lookTakesMs?: number;
}

function openTarget({ outcome, pages, lookTakesMs = 0 }: Lists) {
  let elapsed = 0;
  let looks = 0;
  const logs = {
    createExportTask: async () => outcome ?? { outcome: 'unknown', cause: new Error('reset') },
    describeExportTasks: async (query: Parameters<Lists['pages']>[0]) => {
      looks += 1;
      elapsed += lookTakesMs;
      return { exportTasks: [], awsRequestId: undefined, answeredAt: undefined, ...pages(query) };
    },
  } as unknown as CloudWatchLogs;
  const target = {
    name: 'default',
    region: 'eu-west-1',
    accountId: '123456789012',
    logs,
  } as OpenTarget;
  const createOnce = makeCreateOnce({
    now: () => began + elapsed,
    elapsed: () => elapsed,
    sleep: async (ms) => {
      elapsed += ms;
    },
  });
  return { create: () => createOnce(target, task, asked), looks: () => looks };
}

const asked = { caller: 'anonymous', grant: undefined, see: async (task: ExportTask) => task };

const listed = (
  taskId: string,
  createdAt: number,
  changes: Partial<ExportTask> = {},
): ExportTask => ({
  ...task,
  taskId,
  executionInfo: { creationTime: createdAt },
  ...changes,
});

describe('the look-up of a lost create', () => {
  test('goes on to the next page while the page is young', async () => {
    const others = Array.from({ length: 50 }, (_, i) => listed(`other-${i}`, began, { to: 9n }));
    const { create } = openTarget({
      pages: ({ nextToken, statusCode }) => {
        if (statusCode) return {};
        return nextToken
          ? { exportTasks: [listed('ours', began)] }
          : { exportTasks: others, nextToken: 'next' };
      },
    });

    await expect(create()).resolves.toMatchObject({ taskId: 'ours' });
  });

  test('stops at the first page with a task older than the create', async () => {
    const { create, looks } = openTarget({
      pages: ({ statusCode }) =>
        statusCode ? {} : { exportTasks: [listed('old', began - 60_000)], nextToken: 'more' },
    });

    await expect(create()).rejects.toMatchObject({ slug: 'outcome-unknown' });
    expect(looks()).toBe(3 * 3);
  });

  test('takes a task whose creation time AWS does not show', async () => {
    const { create } = openTarget({
      pages: () => ({ exportTasks: [listed('ours', 0, { executionInfo: {} })] }),
    });

    await expect(create()).resolves.toMatchObject({ taskId: 'ours' });
  });

  test('reckons on the clock of AWS where it tells it', async () => {
    const answeredAt = began - 3_600_000;
    const { create } = openTarget({
      pages: () => ({ answeredAt, exportTasks: [listed('ours', answeredAt - 1_000)] }),
    });

    await expect(create()).resolves.toMatchObject({ taskId: 'ours' });
  });

  test('ends when its time is over, and then nothing is certain', async () => {
    const answer = new Problem('aws-unavailable', 'AWS answered 503.', { awsErrorCode: 'Busy' });
    const { create, looks } = openTarget({
      outcome: { outcome: 'unknown', cause: new Error('503'), answer },
      pages: () => ({}),
      lookTakesMs: 3_000,
    });

    await expect(create()).rejects.toMatchObject({
      slug: 'outcome-unknown',
      members: { awsErrorCode: 'Busy' },
    });
    expect(looks()).toBe(3);
  });
});

describe('a slot that is taken', () => {
  const outcome: CreateOutcome = {
    outcome: 'refused',
    problem: new Problem('export-slot-taken', 'Another export task is running.'),
  };

  test('is told with what AWS shows of its holder, be it little', async () => {
    const { create } = openTarget({
      outcome,
      pages: () => ({ exportTasks: [{ taskId: 'theirs', status: { code: 'PENDING_CANCEL' } }] }),
    });

    await expect(create()).rejects.toMatchObject({
      detail: 'Export task theirs holds the slot.',
      members: { slotHolder: { taskId: 'theirs', status: 'PENDING_CANCEL' } },
    });
  });

  test('is told without a holder when AWS lists no active task', async () => {
    const { create, looks } = openTarget({
      outcome,
      pages: () => ({ exportTasks: [listed('done', began, { status: { code: 'COMPLETED' } })] }),
    });

    await expect(create()).rejects.toBe((outcome as { problem: Problem }).problem);
    expect(looks()).toBe(2);
  });
});
