import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { awsCallProblems } from '#problems/problems-of-operation.ts';
import { identityNamed, type Targets } from '#targets/target.ts';
import { Text } from '#validation/text.ts';
import { toTaskQuestion } from '../authorization-questions.ts';
import { ExportTask, exampleTask, StatusCode, TargetName } from '../export-task.ts';
import type { MaskTaskNames } from '../mask-task-names.ts';
import { disconnectSignal } from './disconnect-signal.ts';

const Query = Type.Object(
  {
    target: Type.Optional(TargetName),
    statusCode: Type.Optional({
      ...StatusCode,
      description: 'Return only tasks in this state. Default: all states.',
    }),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 50,
        description: 'Maximum number of tasks in the answer. Default: 50.',
        'x-rule': 'an integer from 1 to 50',
      }),
    ),
    nextToken: Type.Optional(
      Text({
        minLength: 1,
        rule: 'the nextToken of an earlier answer',
        description:
          'The `nextToken` of the previous page. Valid for 24 hours. Default: the first page.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** Lists export tasks, newest first (DescribeExportTasks). */
export const describeExportTasks: FastifyPluginAsyncTypebox<{
  targets: Targets;
  authorizer: Authorizer;
  maskTaskNames: MaskTaskNames;
}> = async (app, { targets, authorizer, maskTaskNames }) => {
  app.route({
    method: 'GET',
    url: '/export-tasks',
    schema: {
      operationId: 'describeExportTasks',
      tags: ['export-tasks'],
      summary: 'List export tasks',
      description:
        'Calls DescribeExportTasks. Returns the tasks that AWS still knows, from all creators, newest first. You get only the tasks that the policies permit you to see. So a page can be short or empty and still have a `nextToken`. Equal requests share one call to AWS, so an answer can be up to one second old. The `Age` header has its age.',
      querystring: Query,
      response: {
        200: Type.Object(
          {
            exportTasks: Type.Array(ExportTask, { description: 'The export tasks of this page.' }),
            nextToken: Type.Optional(
              Type.String({
                description: 'Token of the next page. Absent on the last page. Valid for 24 hours.',
              }),
            ),
          },
          {
            title: 'ExportTaskPage',
            description: 'A page of export tasks.',
            examples: [{ exportTasks: [exampleTask] }],
          },
        ),
      },
    },
    config: {
      action: 'DescribeExportTasks',
      problems: [...awsCallProblems, 'aws-timeout'],
      headers: { 200: ['Age'] },
    },
    handler: async (request, reply) => {
      const { target: name, ...query } = request.query;
      const identity = identityNamed(targets, name);

      if (!authorizer.mayPermit(request, 'DescribeExportTasks', identity)) {
        authorizer.decide(request, toTaskQuestion('DescribeExportTasks', identity)); // writes the denial to the audit log
        return reply.header('age', 0).send({ exportTasks: [] });
      }
      const target = targets.find(name);
      const page = await target.logs.describeExportTasks(query, {
        caller: request.principal.id,
        signal: disconnectSignal(reply.raw),
      });
      request.awsRequestId = page.awsRequestId;

      const { nextToken } = page;
      const permitted = authorizer.filterPermitted(request, page.exportTasks, (task) =>
        toTaskQuestion('DescribeExportTasks', target, task),
      );
      const exportTasks = await maskTaskNames(request, permitted);
      return reply
        .header('age', page.ageSeconds)
        .send({ exportTasks, ...(nextToken !== undefined && { nextToken }) });
    },
  });
};
