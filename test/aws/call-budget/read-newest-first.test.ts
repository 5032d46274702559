import { describe, expect, test } from 'vitest';
import { readNewestFirst } from '#aws/call-budget/read-newest-first.ts';
import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { DescribeExportTasks } from '#aws/export-task.ts';

/** CloudWatch Logs whose newest page is `newest`. It returns `older` only by id. */
function openPort(given: { newest?: string[]; older?: string[]; code?: string }) {
  const { newest = [], older = [], code = 'RUNNING' } = given;
  let now = 0;
  const asked: DescribeExportTasks[] = [];
  const port = {
    async describeExportTasks(query: DescribeExportTasks) {
      asked.push(query);
      const ids = query.taskId === undefined ? newest : [query.taskId];
      const known = ids.filter((id) => newest.includes(id) || older.includes(id));
      return {
        exportTasks: known.map((taskId) => ({ taskId, status: { code } })),
        ...(query.taskId === undefined && { nextToken: 'more' }),
        awsRequestId: `${asked.length}`,
        answeredAt: 0,
        ageSeconds: 0,
      };
    },
  } as unknown as CloudWatchLogs;
  return {
    asked,
    newest,
    logs: readNewestFirst(port, { elapsed: () => now }),
    turn: (ms: number) => {
      now += ms;
    },
  };
}

const list = { limit: 50 };

describe('a query for a task by its id', () => {
  test('is answered from the newest page, with one task and without nextToken', async () => {
    const { asked, logs } = openPort({ newest: ['a', 'b'] });

    const page = await logs.describeExportTasks({ taskId: 'b' });

    expect(page).toEqual({
      exportTasks: [{ taskId: 'b', status: { code: 'RUNNING' } }],
      awsRequestId: '1',
      answeredAt: 0,
      ageSeconds: 0,
    });
    expect(asked).toEqual([list]);
  });

  test('makes a call of its own when the task is not in the newest page', async () => {
    const { asked, logs } = openPort({ newest: ['a'], older: ['old'] });

    const page = await logs.describeExportTasks({ taskId: 'old' });

    expect(page.exportTasks).toMatchObject([{ taskId: 'old' }]);
    expect(asked).toEqual([list, { taskId: 'old' }]);
  });

  test('makes no call for five seconds after AWS did not know the task', async () => {
    const { asked, logs, turn } = openPort({});
    const ask = () => logs.describeExportTasks({ taskId: 'x' });

    await ask();
    turn(5_000);
    const second = await ask();
    turn(1);
    await ask();

    expect(second).toMatchObject({ exportTasks: [], ageSeconds: 5 });
    expect(asked.filter(({ taskId }) => taskId === 'x')).toHaveLength(2);
  });

  test('returns a formerly unknown task as soon as it is in the newest page', async () => {
    const { newest, logs } = openPort({});
    await logs.describeExportTasks({ taskId: 'x' });
    newest.push('x');

    const page = await logs.describeExportTasks({ taskId: 'x' });

    expect(page.exportTasks).toMatchObject([{ taskId: 'x' }]);
  });

  test('makes a call of its own when the answer must be fresh', async () => {
    const { asked, logs } = openPort({ newest: ['a'] });

    await logs.describeExportTasks({ taskId: 'a' }, { isFresh: true });

    expect(asked).toEqual([{ taskId: 'a' }]);
  });

  test.for(['COMPLETED', 'FAILED', 'CANCELLED', 'RUNNING', 'PENDING_CANCEL', 'PAUSED'])(
    'for a %s task outside the newest page is repeated only if the task can change',
    async (code) => {
      const { asked, logs, turn } = openPort({ older: ['old'], code });
      const ask = () => logs.describeExportTasks({ taskId: 'old' });

      await ask();
      turn(600_000);
      const second = await ask();
      turn(1);
      await ask();

      const isEnd = ['COMPLETED', 'FAILED', 'CANCELLED'].includes(code);
      expect(second).toMatchObject({ exportTasks: [{ taskId: 'old' }] });
      expect(second.ageSeconds).toBe(isEnd ? 600 : 0);
      expect(asked.filter(({ taskId }) => taskId === 'old')).toHaveLength(isEnd ? 2 : 3);
    },
  );

  test('returns a finished task that was in the newest page before', async () => {
    const { asked, newest, logs } = openPort({ newest: ['a', 'b'], code: 'COMPLETED' });
    await logs.describeExportTasks({ taskId: 'a' });
    newest.splice(0, 2, 'c');

    const page = await logs.describeExportTasks({ taskId: 'b' });

    expect(page.exportTasks).toMatchObject([{ taskId: 'b' }]);
    expect(asked).toEqual([list, list]);
  });

  test('makes a call again when more than 512 tasks were cached after it', async () => {
    const { asked, logs } = openPort({});

    for (let index = 0; index < 514; index += 1) {
      await logs.describeExportTasks({ taskId: `${index}` });
    }
    const before = asked.length;
    await logs.describeExportTasks({ taskId: '1' });
    await logs.describeExportTasks({ taskId: '513' });

    expect(asked.slice(before).map(({ taskId }) => taskId)).toEqual([undefined, '1', undefined]);
  });
});

test('a list query is passed on unchanged', async () => {
  const { asked, logs } = openPort({ newest: ['a'] });
  const query = { statusCode: 'RUNNING', limit: 3 } as const;

  await logs.describeExportTasks(query);

  expect(asked).toEqual([query]);
});
