import { describe, expect, test } from 'vitest';

import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { CreateOutcome } from '#aws/create-outcome.ts';
import type { AwsExportTask, CreateExportTaskInput, ExportTaskPage } from '#aws/export-task.ts';
import { type CreateOnceOptions, makeCreateOnce } from '#export-tasks/creating/create-once.ts';
import { Problem } from '#problems/problem.ts';
import { type Installation, makeMarker } from '#targets/marker.ts';
import type { OpenTarget } from '#targets/target.ts';

// Lists of AWS that the emulator does not return: full of other tasks, without a Date, without members.

const task = {
  logGroupName: '/app',
  from: 1n,
  to: 2n,
  destination: 'archive',
  destinationPrefix: 'exportedlogs',
};
const began = 1_800_000_000_000;
const markerOfJob = makeMarker(
  { id: '0123456789abcdef', secret: 'secret' } as Installation,
  { jobId: '5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10', slice: 1, attempt: 1 },
  '0'.repeat(16),
);

interface Lists {
  outcome?: CreateOutcome;
  pages: (query: Parameters<CloudWatchLogs['describeExportTasks']>[0]) => Partial<ExportTaskPage>;
  /** The duration of each read, in milliseconds. */
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
  return {
    create: (whom: Partial<CreateOnceOptions> = {}, changes: Partial<CreateExportTaskInput> = {}) =>
      createOnce(target, { ...task, ...changes }, { ...options, ...whom }),
    looks: () => looks,
  };
}

const answered503: CreateOutcome = {
  outcome: 'unknown',
  cause: new Error('503'),
  answer: new Problem('aws-unavailable', 'AWS answered 503.', {
    awsErrorCode: 'Busy',
    awsRequestId: 'request-1',
  }),
};

const options = {
  caller: 'anonymous',
  grant: undefined,
  view: async (task: AwsExportTask) => task,
  log: { info() {}, warn() {}, error() {} },
};

const listed = (
  taskId: string,
  createdAt: number,
  changes: Partial<AwsExportTask> = {},
): AwsExportTask => ({
  ...task,
  taskId,
  executionInfo: { creationTime: createdAt },
  ...changes,
});

describe('the look-up of a lost create', () => {
  test('reads the next page while all tasks of a page are newer than the create', async () => {
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
    expect(looks()).toBe(4 * 3);
  });

  test.for([
    ['whose creation time AWS does not show', { executionInfo: {} }],
    ['without executionInfo', { executionInfo: undefined }],
    ['under another name', { taskName: 'other' }],
    ['of another range', { to: 9n }],
    ['to another bucket', { destination: 'other' }],
    ['to another prefix', { destinationPrefix: 'other' }],
    ['without a prefix', { destinationPrefix: undefined }],
    ['without a log group', { logGroupName: undefined }],
    ['without an id', { taskId: undefined }],
  ] as const)(
    'neither matches a task %s nor reports that none was created',
    async ([, changes]) => {
      const { create } = openTarget({
        outcome: answered503,
        pages: () => ({ exportTasks: [listed('near', began, changes as Partial<AwsExportTask>)] }),
      });

      await expect(create()).rejects.toMatchObject({
        slug: 'outcome-unknown',
        detail: expect.stringContaining('that may be the new one'),
      });
    },
  );

  test('does not name a task of an export job as one that may be the new one', async () => {
    const { create } = openTarget({
      outcome: answered503,
      pages: () => ({
        exportTasks: [listed('of a job', began, { taskName: markerOfJob, destination: 'other' })],
      }),
    });

    await expect(create()).rejects.toMatchObject({
      slug: 'outcome-unknown',
      detail: expect.stringContaining('AWS does not list the task yet'),
    });
  });

  test('names the task that may be the new one to those alone who may see it', async () => {
    const pages = () => ({ exportTasks: [listed('near', began, { to: 9n })] });
    const detailFor = (view: CreateOnceOptions['view']) =>
      openTarget({ pages })
        .create({ view })
        .catch(({ detail }) => detail);

    expect(await detailFor(async (task) => task)).toContain('task near');
    expect(await detailFor(async () => undefined)).not.toContain('near');
  });

  test('stays unknown if what the caller may see of other tasks cannot be read', async () => {
    const pages = () => ({ exportTasks: [listed('near', began, { to: 9n })] });
    const view = async () => {
      throw new Problem('database-unavailable', 'The database does not answer.');
    };

    await expect(openTarget({ pages }).create({ view })).rejects.toMatchObject({
      slug: 'outcome-unknown',
      detail: expect.not.stringContaining('near'),
    });
  });

  test.for([
    ['an older one', [listed('old', began - 60_000)]],
    ['one of another log group', [listed('other', began, { logGroupName: '/other' })]],
    ['none', []],
  ] as const)(
    'does not report that none was created when AWS lists %s',
    async ([, exportTasks]) => {
      const { create } = openTarget({
        outcome: answered503,
        pages: () => ({ exportTasks: [...exportTasks] }),
      });

      await expect(create()).rejects.toMatchObject({
        slug: 'outcome-unknown',
        detail:
          'AWS answered 503. AWS may have created the task or not. AWS does not list the task yet, but it may still appear.',
        members: { awsErrorCode: 'Busy', awsRequestId: 'request-1' },
      });
    },
  );

  test.for([
    ['under a filter, whatever their order', 'RUNNING', [listed('old', began - 60_000)]],
    ['out of order', undefined, [listed('old', began - 60_000), listed('a', began, { to: 9n })]],
    [
      'behind one without a time',
      undefined,
      [listed('a', 0, { executionInfo: {}, logGroupName: '/b' }), listed('old', began - 60_000)],
    ],
  ] as const)('goes on past older tasks %s', async ([, filter, exportTasks]) => {
    const { create } = openTarget({
      pages: ({ statusCode, nextToken }) => {
        if (statusCode !== filter) return {};
        return nextToken
          ? { exportTasks: [listed('ours', began)] }
          : { exportTasks: [...exportTasks], nextToken: 'next' };
      },
    });

    await expect(create()).resolves.toMatchObject({ taskId: 'ours' });
  });

  test.for([
    ['a/b/', 'a/b'],
    ['a/b', 'a/b/'],
    ['a//', 'a'],
  ])('takes a prefix sent as %j and shown as %j for the same', async ([sent = '', shown = '']) => {
    const { create } = openTarget({
      pages: () => ({ exportTasks: [listed('ours', began, { destinationPrefix: shown })] }),
    });

    await expect(create({}, { destinationPrefix: sent })).resolves.toMatchObject({
      taskId: 'ours',
    });
  });

  test('does not count a list without an end as complete', async () => {
    const { create, looks } = openTarget({
      outcome: answered503,
      pages: () => ({ nextToken: 'again' }),
      lookTakesMs: 100,
    });

    await expect(create()).rejects.toMatchObject({ slug: 'outcome-unknown' });
    expect(looks()).toBeLessThan(130);
  });

  test('uses the clock of AWS when the answer has a Date', async () => {
    const answeredAt = began - 3_600_000;
    const { create } = openTarget({
      pages: () => ({ answeredAt, exportTasks: [listed('ours', answeredAt - 1_000)] }),
    });

    await expect(create()).resolves.toMatchObject({ taskId: 'ours' });
  });

  test('ends after its time limit with an unknown outcome', async () => {
    const { create, looks } = openTarget({
      outcome: answered503,
      pages: () => ({}),
      lookTakesMs: 5_000,
    });

    await expect(create()).rejects.toMatchObject({
      slug: 'outcome-unknown',
      members: { awsErrorCode: 'Busy' },
    });
    expect(looks()).toBe(3);
  });
});

describe('the refusal of a taken slot', () => {
  const outcome: CreateOutcome = {
    outcome: 'refused',
    problem: new Problem('export-slot-taken', 'Another export task is running.'),
  };

  test('contains what AWS shows of the slot holder, even if members are missing', async () => {
    const { create } = openTarget({
      outcome,
      pages: () => ({ exportTasks: [{ taskId: 'theirs', status: { code: 'PENDING_CANCEL' } }] }),
    });

    await expect(create()).rejects.toMatchObject({
      detail: 'Export task theirs holds the slot.',
      members: { slotHolder: { taskId: 'theirs', status: 'PENDING_CANCEL' } },
    });
  });

  test('has no slot holder when AWS lists no active task', async () => {
    const { create, looks } = openTarget({
      outcome,
      pages: () => ({ exportTasks: [listed('done', began, { status: { code: 'COMPLETED' } })] }),
    });

    await expect(create()).rejects.toBe((outcome as { problem: Problem }).problem);
    expect(looks()).toBe(2);
  });
});
