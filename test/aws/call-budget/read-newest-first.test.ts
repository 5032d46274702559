import { describe, expect, test } from 'vitest';
import { readNewestFirst } from '#aws/call-budget/read-newest-first.ts';
import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { DescribeExportTasks } from '#aws/export-task.ts';

/** CloudWatch Logs whose newest page is `newest`. It returns `older` only by id. */
function openLogs(given: { newest?: string[]; older?: string[]; code?: string }) {
  const { newest = [], older = [], code = 'RUNNING' } = given;
  let now = 0;
  const queries: DescribeExportTasks[] = [];
  const port = {
    async describeExportTasks(query: DescribeExportTasks) {
      queries.push(query);
      const ids = query.taskId === undefined ? newest : [query.taskId];
      const known = ids.filter((id) => newest.includes(id) || older.includes(id));
      return {
        exportTasks: known.map((taskId) => ({ taskId, status: { code } })),
        ...(query.taskId === undefined && { nextToken: 'more' }),
        awsRequestId: `${queries.length}`,
        answeredAt: 0,
        ageSeconds: 0,
      };
    },
  } as unknown as CloudWatchLogs;
  return {
    queries,
    newest,
    logs: readNewestFirst(port, { elapsed: () => now }),
    advance: (ms: number) => {
      now += ms;
    },
  };
}

const list = { limit: 50 };

describe('a query for a task by its id', () => {
  test('is answered from the newest page, with one task and without nextToken', async () => {
    const { queries, logs } = openLogs({ newest: ['a', 'b'] });

    const page = await logs.describeExportTasks({ taskId: 'b' });

    expect(page).toEqual({
      exportTasks: [{ taskId: 'b', status: { code: 'RUNNING' } }],
      awsRequestId: '1',
      answeredAt: 0,
      ageSeconds: 0,
    });
    expect(queries).toEqual([list]);
  });

  test('makes a call of its own when the task is not in the newest page', async () => {
    const { queries, logs } = openLogs({ newest: ['a'], older: ['old'] });

    const page = await logs.describeExportTasks({ taskId: 'old' });

    expect(page.exportTasks).toMatchObject([{ taskId: 'old' }]);
    expect(queries).toEqual([list, { taskId: 'old' }]);
  });

  test('makes no call for five seconds after AWS did not know the task', async () => {
    const { queries, logs, advance } = openLogs({});
    const poll = () => logs.describeExportTasks({ taskId: 'x' });

    await poll();
    advance(5_000);
    const second = await poll();
    advance(1);
    await poll();

    expect(second).toMatchObject({ exportTasks: [], ageSeconds: 5 });
    expect(queries.filter(({ taskId }) => taskId === 'x')).toHaveLength(2);
  });

  test('returns a formerly unknown task as soon as it is in the newest page', async () => {
    const { newest, logs } = openLogs({});
    await logs.describeExportTasks({ taskId: 'x' });
    newest.push('x');

    const page = await logs.describeExportTasks({ taskId: 'x' });

    expect(page.exportTasks).toMatchObject([{ taskId: 'x' }]);
  });

  test('makes a call of its own when the answer must be fresh', async () => {
    const { queries, logs } = openLogs({ newest: ['a'] });

    await logs.describeExportTasks({ taskId: 'a' }, { isFresh: true });

    expect(queries).toEqual([{ taskId: 'a' }]);
  });

  test.for(['COMPLETED', 'FAILED', 'CANCELLED', 'RUNNING', 'PENDING_CANCEL', 'PAUSED'])(
    'for a %s task outside the newest page is repeated only if the task can change',
    async (code) => {
      const { queries, logs, advance } = openLogs({ older: ['old'], code });
      const poll = () => logs.describeExportTasks({ taskId: 'old' });

      await poll();
      advance(600_000);
      const second = await poll();
      advance(1);
      await poll();

      const isEnd = ['COMPLETED', 'FAILED', 'CANCELLED'].includes(code);
      expect(second).toMatchObject({ exportTasks: [{ taskId: 'old' }] });
      expect(second.ageSeconds).toBe(isEnd ? 600 : 0);
      expect(queries.filter(({ taskId }) => taskId === 'old')).toHaveLength(isEnd ? 2 : 3);
    },
  );

  test('returns a finished task that was in the newest page before', async () => {
    const { queries, newest, logs } = openLogs({ newest: ['a', 'b'], code: 'COMPLETED' });
    await logs.describeExportTasks({ taskId: 'a' });
    newest.splice(0, 2, 'c');

    const page = await logs.describeExportTasks({ taskId: 'b' });

    expect(page.exportTasks).toMatchObject([{ taskId: 'b' }]);
    expect(queries).toEqual([list, list]);
  });

  test('makes a call again when more than 512 tasks were cached after it', async () => {
    const { queries, logs } = openLogs({});

    for (let index = 0; index < 514; index += 1) {
      await logs.describeExportTasks({ taskId: `${index}` });
    }
    const before = queries.length;
    await logs.describeExportTasks({ taskId: '1' });
    await logs.describeExportTasks({ taskId: '513' });

    expect(queries.slice(before).map(({ taskId }) => taskId)).toEqual([undefined, '1', undefined]);
  });
});

test('a list query is passed on unchanged', async () => {
  const { queries, logs } = openLogs({ newest: ['a'] });
  const query = { statusCode: 'RUNNING', limit: 3 } as const;

  await logs.describeExportTasks(query);

  expect(queries).toEqual([query]);
});
