import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { awsCallProblems } from '#problems/problems-of-operation.ts';
import { anyMarkerPrefix } from '#targets/marker.ts';
import { identityNamed, type Targets } from '#targets/target.ts';
import { invalidRequest } from '#validation/violations.ts';
import { grantOf, toCreateQuestion, toTaskQuestion } from '../authorization-questions.ts';
import { CreateExportTask } from '../create-export-task-body.ts';
import type { makeCreateOnce } from '../creating/create-once.ts';
import { toEffectiveTask } from '../creating/default-prefix.ts';
import { warningsOf } from '../creating/warnings.ts';
import { CreatedExportTask, TargetQuery } from '../export-task.ts';
import type { MaskTaskNames } from '../mask-task-names.ts';
import { disconnectSignal } from './disconnect-signal.ts';

/** Creates an export task (CreateExportTask), sent once. A lost outcome is looked up. */
export const createExportTask: FastifyPluginAsyncTypebox<{
  targets: Targets;
  authorizer: Authorizer;
  createOnce: ReturnType<typeof makeCreateOnce>;
  isReserved: ((taskName: string) => Promise<boolean>) | undefined;
  maskTaskNames: MaskTaskNames;
}> = async (app, { targets, authorizer, createOnce, maskTaskNames, isReserved }) => {
  app.route({
    method: 'POST',
    url: '/export-tasks',
    // Longer than the create and its look-up together: the timeout must never end a create.
    handlerTimeout: 40_000,
    schema: {
      operationId: 'createExportTask',
      tags: ['export-tasks'],
      summary: 'Create an export task',
      description:
        'Calls CreateExportTask to export one log group over one time range to S3. AWS runs one task at a time per account and Region. While another task is active, the answer is 429 `export-slot-taken`. It describes that task if you may see it. The call is sent at most once and never repeated. If the answer of AWS is lost, the service looks for the task in AWS. If it does not find the task, the answer is 504 `outcome-unknown`: do not repeat the request automatically. The limits of AWS apply. In addition, the service rejects control characters, malformed Unicode and some values of `taskName`.',
      querystring: TargetQuery,
      body: CreateExportTask,
      response: { 201: CreatedExportTask },
    },
    config: {
      action: 'CreateExportTask',
      problems: [
        ...awsCallProblems,
        'destination-not-found',
        'log-group-not-found',
        'destination-not-writable',
        'export-slot-taken',
        'outcome-unknown',
      ],
      headers: { 201: ['Location'] },
      timeoutProblem: 'outcome-unknown',
    },
    handler: async (request, reply) => {
      const { query, body } = request;
      const task = toEffectiveTask(body);
      const identity = identityNamed(targets, query.target);
      if (!authorizer.mayPermit(request, 'CreateExportTask', identity)) {
        authorizer.require(request, toCreateQuestion(identity, task));
      }
      const target = targets.find(query.target);
      const question = toCreateQuestion(target, task);
      const decision = authorizer.require(request, question);

      await refuseReservedName(body.taskName, isReserved);
      const created = await createOnce(target, task, {
        caller: request.principal.id,
        grant: grantOf(question, decision),
        signal: disconnectSignal(reply.raw),
        log: request.log,
        async view(other) {
          const describeQuestion = toTaskQuestion('DescribeExportTasks', target, other);
          if (!authorizer.decide(request, describeQuestion).isPermitted) return undefined;
          return (await maskTaskNames(request, [other]))[0];
        },
      });
      request.awsRequestId = created.awsRequestId;

      const targetQuery =
        query.target === undefined ? '' : `?target=${encodeURIComponent(query.target)}`;
      const warnings = warningsOf(body);
      return reply
        .code(201)
        .header(
          'location',
          `${request.basePath}/export-tasks/${encodeURIComponent(created.taskId)}${targetQuery}`,
        )
        .send({ taskId: created.taskId, ...(warnings.length > 0 && { warnings }) });
    },
  });
};

/**
 * Refuses a task name that is reserved for export jobs: the orphan sweep would cancel such a task.
 * @throws Problem invalid-request
 */
async function refuseReservedName(
  taskName: string | undefined,
  isReserved: ((taskName: string) => Promise<boolean>) | undefined,
): Promise<void> {
  if (!isReserved || !taskName?.startsWith(anyMarkerPrefix)) return;
  if (!(await isReserved(taskName))) return;
  const detail = `must not begin with ${anyMarkerPrefix} and the id of the job database, which export jobs use; use another name`;
  throw invalidRequest([{ in: 'body', pointer: '#/taskName', detail }]);
}
