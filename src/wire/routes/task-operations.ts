import type { FastifyInstance } from 'fastify';

import type { Targets } from '#targets/target.ts';
import type { DescribeLogGroupsOfCaller } from '../log-groups/describe-log-groups.ts';
import {
  readCancelExportTask,
  readCreateExportTask,
  readDescribeExportTasks,
  readDescribeLogGroups,
} from '../protocol/requests.ts';
import type { FindTarget } from '../target/find-target.ts';
import type { CancelTask } from '../tasks/cancel-task.ts';
import type { CreateTask } from '../tasks/create-task.ts';
import type { DescribeTasks } from '../tasks/describe-tasks.ts';
import { addOperation } from './operation-route.ts';

/** What the operations do. */
export interface TaskOperations {
  targets: Pick<Targets, 'find'>;
  findTarget: FindTarget;
  createTask: CreateTask;
  describeTasks: DescribeTasks;
  cancelTask: CancelTask;
  describeLogGroups: DescribeLogGroupsOfCaller;
}

/** Registers the operations on export tasks, and the one that finds log groups for them. */
export function addTaskOperations(app: FastifyInstance, operations: TaskOperations): void {
  const { targets, findTarget, createTask, describeTasks, cancelTask } = operations;
  const { describeLogGroups } = operations;

  addOperation(app, {
    operation: 'CreateExportTask',
    action: 'CreateExportJob',
    isOnce: true,
    findTarget,
    async handler({ request, target, body }) {
      const { signature = '', invocationId } = request.signed ?? {};
      const taskId = await createTask({
        request,
        target: targets.find(target),
        parameters: readCreateExportTask(body),
        sent: { signature, ...(invocationId !== undefined && { invocationId }) },
        traceParent: request.start.traceParent,
      });
      return { taskId };
    },
  });
  addOperation(app, {
    operation: 'DescribeExportTasks',
    action: 'ReadExportJob',
    findTarget,
    handler: ({ request, target, body }) =>
      describeTasks(request, target, readDescribeExportTasks(body)),
  });
  addOperation(app, {
    operation: 'CancelExportTask',
    action: 'CancelExportJob',
    findTarget,
    async handler({ request, target, body }) {
      await cancelTask(request, target, readCancelExportTask(body).taskId);
      return undefined;
    },
  });
  addOperation(app, {
    operation: 'DescribeLogGroups',
    action: 'CreateExportJob',
    isCostlyList: true, // the decisions about its log groups
    findTarget,
    handler: ({ request, target, body }) =>
      describeLogGroups(request, targets.find(target), readDescribeLogGroups(body)),
  });
}
