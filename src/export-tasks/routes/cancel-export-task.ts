import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { awsCallProblems } from '#problems/problems-of-operation.ts';
import type { Targets } from '#targets/target.ts';
import { cancelAndDescribe, requireCancellable } from '../cancel-and-describe.ts';
import { ExportTask, exampleTask, exampleTaskIds, TargetQuery, TaskId } from '../export-task.ts';
import type { MaskTaskNames } from '../mask-task-names.ts';
import { disconnectSignal } from './disconnect-signal.ts';

const Params = Type.Object(
  { taskId: { ...TaskId, examples: [exampleTaskIds.running] } },
  { additionalProperties: false },
);
// In the demo, the task of the example runs at this target.
const Query = Type.Object(
  { target: { ...TargetQuery.properties.target, examples: ['busy'] } },
  { additionalProperties: false },
);
const CancelledExportTask = {
  ...ExportTask,
  examples: [
    {
      ...exampleTask,
      taskId: exampleTaskIds.running,
      taskName: 'billing-2024-05-01',
      logGroupName: '/demo/billing',
      destinationPrefix: 'billing/2024-05-01',
      status: { code: 'PENDING_CANCEL' },
      executionInfo: { creationTime: 1714608000000 },
    },
  ],
};

/** Cancels an export task (CancelExportTask) and returns the task. */
export const cancelExportTask: FastifyPluginAsyncTypebox<{
  targets: Targets;
  authorizer: Authorizer;
  maskTaskNames: MaskTaskNames;
}> = async (app, { targets, authorizer, maskTaskNames }) => {
  app.route({
    method: 'POST',
    url: '/export-tasks/:taskId/cancel',
    handlerTimeout: 20_000, // up to four calls to AWS, each with its own deadline
    schema: {
      operationId: 'cancelExportTask',
      tags: ['export-tasks'],
      summary: 'Cancel an export task',
      description:
        'Calls CancelExportTask. Cancels a task that is PENDING or RUNNING. The answer is the task after the call, usually PENDING_CANCEL, because AWS cancels asynchronously. The request is safe to repeat: a repeat has no second effect. If the task is already PENDING_CANCEL, nothing changes, and the answer is also 202. If the task has finished, the answer is 409 `export-task-already-finished`, even if your first cancel ended it. `detail` of this answer has the state of the task.',
      params: Params,
      querystring: Query,
      response: { 202: CancelledExportTask },
    },
    config: {
      action: 'CancelExportTask',
      problems: [
        ...awsCallProblems,
        'export-task-not-found',
        'export-task-already-finished',
        'operation-aborted',
        'aws-timeout',
      ],
    },
    handler: async (request, reply) => {
      const { taskId } = request.params;
      const caller = request.principal.id;
      const { target: name } = request.query;
      const signal = disconnectSignal(reply.raw);
      await requireCancellable(authorizer, request, { targets, name, taskId }, signal);
      const target = targets.find(name);

      const { task, awsRequestId } = await cancelAndDescribe(
        target.logs,
        taskId,
        { caller, signal },
        async (found) => (await maskTaskNames(request, [found]))[0] ?? { taskId },
      );
      request.awsRequestId = awsRequestId;

      return reply.code(202).send(task);
    },
  });
};
