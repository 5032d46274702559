import { expect, test } from 'vitest';

import type { AwsExportTask, DescribeExportTasks } from '#aws/export-task.ts';
import type { OpenTarget } from '#targets/target.ts';
import { startAt } from '../insert-hourly-job.ts';
import { openQueue, type Queue } from '../open-queue.ts';

const rest = 'the rest';

/** AWS with a page of one task before each listing. */
const withFirstPage =
  (isMeant: (query: DescribeExportTasks) => boolean, first: AwsExportTask) =>
  (target: OpenTarget): OpenTarget => ({
    ...target,
    logs: {
      ...target.logs,
      async describeExportTasks(query, how) {
        const { nextToken, ...others } = query;
        if (nextToken === rest) return target.logs.describeExportTasks(others, how);
        const page = await target.logs.describeExportTasks(query, how);
        const isFirst = query.taskId === undefined && nextToken === undefined;
        if (!isFirst || !isMeant(query)) return page;
        return { ...page, exportTasks: [first], nextToken: rest };
      },
    },
  });

const old: AwsExportTask = {
  taskId: 'old',
  status: { code: 'COMPLETED' },
  executionInfo: { creationTime: startAt - 86_400_000 },
};

const tasks = (queue: Queue) => queue.emulator.exportTasks();

/** AWS that shows a task only with a filter. */
const unlistedWithoutFilter = (target: OpenTarget): OpenTarget => ({
  ...target,
  logs: {
    ...target.logs,
    async describeExportTasks(query, how) {
      const page = await target.logs.describeExportTasks(query, how);
      const isFiltered = query.taskId !== undefined || query.statusCode !== undefined;
      return isFiltered ? page : { ...page, exportTasks: [] };
    },
  },
});

test('continues a filtered listing after an old task, because its order is unknown', async () => {
  const withOld = withFirstPage(({ statusCode }) => statusCode === 'RUNNING', old);
  await using queue = await openQueue({
    emulator: { runningMs: 600_000 },
    seeTarget: (target) => withOld(unlistedWithoutFilter(target)),
  });
  queue.emulator.faults.add({ operation: 'CreateExportTask', kind: 'reset-after' });
  await queue.put();

  await queue.time.runUntil(async () => (await queue.states())[0] === 'running');

  expect(tasks(queue)).toHaveLength(1);
});

test('continues a sweep after a task without a time', async () => {
  const { executionInfo: _unknown, ...withoutTime } = old;
  await using queue = await openQueue({
    emulator: { runningMs: 3_600_000, activeTaskLimit: 2 },
    seeTarget: withFirstPage(({ statusCode }) => statusCode === undefined, withoutTime),
  });
  queue.emulator.faults.add({
    operation: 'CreateExportTask',
    kind: 'late-effect',
    delayMs: 250_000,
  });
  await queue.put();

  await queue.time.runUntil(() => queue.calls('CancelExportTask').length > 0);

  const sentAt = queue.calls('CreateExportTask')[0]?.at ?? 0;
  const orphan = tasks(queue).find(({ createdAt }) => createdAt === sentAt + 250_000);
  expect(queue.calls('CancelExportTask').map(({ input }) => input)).toEqual([
    { taskId: orphan?.taskId },
  ]);
});
