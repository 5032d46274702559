import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { Targets } from '#targets/target.ts';
import { noSuchTask } from '../cancel-and-show.ts';
import { everyCall } from '../declared-problems.ts';
import { ExportTask, TargetQuery, TaskId } from '../export-task.ts';
import type { MaskTasks } from '../masked-tasks.ts';
import { mayDo } from '../questions.ts';

const Params = Type.Object({ taskId: TaskId }, { additionalProperties: false });

/** Shows one export task: AWS's DescribeExportTasks by id. */
export const getExportTask: FastifyPluginAsyncTypebox<{
  targets: Targets;
  authorizer: Authorizer;
  maskTasks: MaskTasks;
}> = async (app, { targets, authorizer, maskTasks }) => {
  app.route({
    method: 'GET',
    url: '/export-tasks/:taskId',
    schema: {
      operationId: 'getExportTask',
      tags: ['export-tasks'],
      summary: 'Show an export task',
      description:
        'DescribeExportTasks by id. However many callers ask for a task, AWS is asked once a second; `Age` says how old the answer is.',
      params: Params,
      querystring: TargetQuery,
      response: { 200: ExportTask },
    },
    config: {
      action: 'DescribeExportTasks',
      problems: [...everyCall, 'export-task-not-found', 'aws-timeout'],
      headers: { 200: ['Age'] },
    },
    handler: async (request, reply) => {
      const { taskId } = request.params;
      const target = targets.find(request.query.target);

      const page = await target.logs.describeExportTasks(
        { taskId },
        { caller: request.principal.id },
      );
      request.awsRequestId = page.awsRequestId;

      const [task] = page.exportTasks;
      const { isPermitted } = authorizer.decide(
        request,
        mayDo('DescribeExportTasks', target, task),
      );
      if (!task || !isPermitted) throw noSuchTask();
      const [shown = {}] = await maskTasks(request, [task]);
      return reply.header('age', page.ageSeconds).send(shown);
    },
  });
};
