import type {
  FastifyError,
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
} from 'fastify';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import type { JobAccess } from '#export-jobs/access/job-access.ts';
import { toProblem } from '#problems/plugin.ts';
import type { Targets } from '#targets/target.ts';
import { makeDescribeLogGroups } from './log-groups/describe-log-groups.ts';
import { type AwsError, awsError, isAwsError } from './protocol/aws-error.ts';
import { askedOperation, isOfProtocol } from './protocol/operations.ts';
import { toAwsError } from './protocol/problem-errors.ts';
import { toWireBody, wireMediaType } from './protocol/wire-body.ts';
import { addUnknownOperation, operationConstraint } from './routes/operation-route.ts';
import { addTaskOperations } from './routes/task-operations.ts';
import { makeFindTarget } from './target/find-target.ts';
import { makeCancelTask } from './tasks/cancel-task.ts';
import { type CreateTaskOptions, makeCreateTask } from './tasks/create-task.ts';
import { makeDescribeTasks } from './tasks/describe-tasks.ts';

/** What the endpoint depends on. */
export interface WireOptions extends CreateTaskOptions {
  targets: Targets;
  authorizer: Authorizer;
  access: JobAccess;
  /** Epoch ms. */
  now: () => number;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

/**
 * Registers the endpoint for AWS clients: AWS JSON 1.1 of CloudWatch Logs at `/` and `/aws/{target}`. Only
 * requests with X-Amz-Target reach it, so that the paths keep their other meanings.
 */
export const wirePlugin: FastifyPluginAsync<WireOptions> = async (app, options) => {
  app.addConstraintStrategy({
    name: operationConstraint,
    storage: () => {
      const handlers = new Map();
      return {
        get: (key) => handlers.get(key),
        set: (key, value) => void handlers.set(key, value),
      };
    },
    deriveConstraint: ({ headers }) => askedOperation(headers),
    validate: () => {},
  });
  keepBodyBytes(app);
  app.setErrorHandler(answerError);
  app.addHook('onSend', (request, reply, _payload, done) => {
    reply.header('x-amzn-requestid', request.id);
    done();
  });

  const { targets, authorizer } = options;
  addTaskOperations(app, {
    targets,
    findTarget: makeFindTarget(targets, authorizer),
    createTask: makeCreateTask(options),
    describeTasks: makeDescribeTasks(options),
    cancelTask: makeCancelTask(options),
    describeLogGroups: makeDescribeLogGroups(options),
  });
  addUnknownOperation(app, ({ headers }) =>
    awsError('UnknownOperationException', undefined, isOfProtocol(headers) ? 400 : 404),
  );
};

/** Keeps the bytes of the body: they are signed. */
function keepBodyBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(wireMediaType, (request: FastifyRequest) => request.readBody());
}

/** Answers in the words of AWS, and leaves the error and the problem on the request for the log line. */
function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  if (isAwsError(error)) return sendError(error, request, reply);
  const problem = toProblem(error, request);
  request.problem = problem;
  const { retryAfterSeconds } = problem;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds);
  return sendError(toAwsError(problem), request, reply);
}

function sendError(
  { code, text, status }: AwsError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  request.errorCode = code;
  const body = toWireBody({ __type: code, message: text });
  return reply.code(status).type(wireMediaType).send(body);
}
