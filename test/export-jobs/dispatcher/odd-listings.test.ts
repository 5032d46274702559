import { expect, test } from 'vitest';

import type { DescribeExportTasks, ExportTask } from '#aws/export-task.ts';
import type { OpenTarget } from '#targets/target.ts';
import { startAt } from '../put-job.ts';
import { type Line, openLine } from '../queue-of-jobs.ts';

const rest = 'the rest';

/** AWS with a page of one task in front of listings; what it really lists comes behind. */
const withFirstPage =
  (isMeant: (query: DescribeExportTasks) => boolean, first: ExportTask) =>
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

const old: ExportTask = {
  taskId: 'old',
  status: { code: 'COMPLETED' },
  executionInfo: { creationTime: startAt - 86_400_000 },
};

const tasks = (line: Line) => line.emulator.exportTasks();

/** AWS that shows a task under a filter only. */
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

test('an old task in front of a filtered listing does not end it: its order is not known', async () => {
  const withOld = withFirstPage(({ statusCode }) => statusCode === 'RUNNING', old);
  await using line = await openLine({
    emulator: { runningMs: 600_000 },
    seeTarget: (target) => withOld(unlistedWithoutFilter(target)),
  });
  line.emulator.faults.add({ operation: 'CreateExportTask', kind: 'reset-after' });
  await line.put();

  await line.time.runUntil(async () => (await line.states())[0] === 'running');

  expect(tasks(line)).toHaveLength(1);
});

test('a task without a time in front of a sweep does not end it', async () => {
  const { executionInfo: _unknown, ...withoutTime } = old;
  await using line = await openLine({
    emulator: { runningMs: 3_600_000, activeTaskLimit: 2 },
    seeTarget: withFirstPage(({ statusCode }) => statusCode === undefined, withoutTime),
  });
  line.emulator.faults.add({
    operation: 'CreateExportTask',
    kind: 'late-effect',
    delayMs: 250_000,
  });
  await line.put();

  await line.time.runUntil(() => line.calls('CancelExportTask').length > 0);

  const stray = tasks(line).find(({ createdAt }) => createdAt === startAt + 250_000);
  expect(line.calls('CancelExportTask').map(({ input }) => input)).toEqual([
    { taskId: stray?.taskId },
  ]);
});
