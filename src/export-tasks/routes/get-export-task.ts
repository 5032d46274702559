import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { statedLimits } from '#problems/limits.ts';
import { awsCallProblems } from '#problems/problems-of-operation.ts';
import { identityNamed, type Targets } from '#targets/target.ts';
import { toTaskQuestion } from '../authorization-questions.ts';
import { exportTaskNotFound } from '../cancel-and-describe.ts';
import { ExportTask, TargetQuery, TaskId } from '../export-task.ts';
import type { MaskTaskNames } from '../mask-task-names.ts';
import { disconnectSignal } from './disconnect-signal.ts';

const Params = Type.Object({ taskId: TaskId }, { additionalProperties: false });

/** Shows one export task (DescribeExportTasks by id). */
export const getExportTask: FastifyPluginAsyncTypebox<{
  targets: Targets;
  authorizer: Authorizer;
  maskTaskNames: MaskTaskNames;
}> = async (app, { targets, authorizer, maskTaskNames }) => {
  app.route({
    method: 'GET',
    url: '/export-tasks/:taskId',
    schema: {
      operationId: 'getExportTask',
      tags: ['export-tasks'],
      summary: 'Get an export task',
      description: `Returns one export task. The newest ${statedLimits.newestTasks} tasks come from a list that all callers share. The service reads this list from AWS at most once a second. For an older task, it calls DescribeExportTasks with the task id. The \`Age\` header has the age of the answer.`,
      params: Params,
      querystring: TargetQuery,
      response: { 200: ExportTask },
    },
    config: {
      action: 'DescribeExportTasks',
      problems: [...awsCallProblems, 'export-task-not-found', 'aws-timeout'],
      headers: { 200: ['Age'] },
    },
    handler: async (request, reply) => {
      const { taskId } = request.params;
      const { target: name } = request.query;
      const identity = identityNamed(targets, name);

      // No call to AWS for a caller who may see no task.
      const page = authorizer.mayPermit(request, 'DescribeExportTasks', identity)
        ? await targets
            .find(name)
            .logs.describeExportTasks(
              { taskId },
              { caller: request.principal.id, signal: disconnectSignal(reply.raw) },
            )
        : undefined;
      request.awsRequestId = page?.awsRequestId;

      const task = page?.exportTasks[0];
      const { isPermitted } = authorizer.decide(
        request,
        toTaskQuestion('DescribeExportTasks', identity, task),
      );
      if (!page || !task || !isPermitted) throw exportTaskNotFound();
      const [shown = {}] = await maskTaskNames(request, [task]);
      return reply.header('age', page.ageSeconds).send(shown);
    },
  });
};
