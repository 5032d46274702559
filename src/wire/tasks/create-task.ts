import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import { logGroupArn } from '#aws/arn.ts';
import type { Database } from '#database/database.ts';
import { toExportQuestion } from '#export-jobs/access/export-question.ts';
import { askedPrefixOf, planTask, toWindow } from '#export-jobs/planning/tasks/plan-task.ts';
import type { VerificationMode } from '#export-jobs/planning/verification-mode.ts';
import { readClock } from '#export-jobs/queue/read-queue.ts';
import { digestOf, type KeyUse } from '#export-jobs/store/requests/idempotency-key.ts';
import {
  type AcceptedTask,
  acceptTask,
  findSentTask,
} from '#export-jobs/store/tasks/accept-task.ts';
import type { TaskParameters } from '#export-jobs/task-parameters.ts';
import type { ChangeWatch } from '#export-jobs/watching/change-watch.ts';
import { Problem } from '#problems/problem.ts';
import { anyMarkerPrefix } from '#targets/marker.ts';
import type { OpenTarget } from '#targets/target.ts';
import { awsError } from '../protocol/aws-error.ts';
import { notAuthorized } from '../protocol/not-authorized.ts';
import { awaitAnswer } from './await-answer.ts';
import { requireLogGroup } from './find-log-group.ts';

/** A CreateExportTask of a caller. */
interface CreateRequest {
  request: CallerRequest;
  target: OpenTarget;
  parameters: TaskParameters;
  /** What identifies the request: a copy of it has the same. */
  sent: { signature: string; invocationId?: string };
  /** The span of the request; undefined without traces. */
  traceParent: string | undefined;
}

/** What creating a task needs. */
export interface CreateTaskOptions {
  database: Database;
  authorizer: Authorizer;
  watch: ChangeWatch;
  /** Announces a changed job to its watchers and to the dispatcher of its target. */
  announce: (jobId: string, target: string) => void;
  newId: () => string;
  /** How many slices of one caller may wait. Default: 0, no limit. */
  maxWaitingSlices?: number | undefined;
  /** The verification of jobs that do not name one. Default: `objects`. */
  verification?: VerificationMode | undefined;
  /** Whether a task name is that of an attempt of this service. */
  isMarker: (taskName: string) => Promise<boolean>;
}

/**
 * Creates an export task, and returns its id: that of its job. The job is stored before.
 * @throws an `AwsError`, or a Problem
 */
export type CreateTask = (create: CreateRequest) => Promise<string>;

// A task that another copy of the request deletes is created again. More: AWS is asked as often, for the same refusal.
const maxTries = 3;

/** Makes `CreateTask`. */
export function makeCreateTask(options: CreateTaskOptions): CreateTask {
  const { announce, isMarker } = options;
  return async (create) => {
    const { name: target } = create.target;
    await refuseOwnCall(create.parameters, isMarker);
    for (let tries = 0; tries < maxTries; tries += 1) {
      const task = await findOrAccept(options, create);
      if (task.isDeleted) return task.jobId;
      if (task.isNew) announce(task.jobId, target);
      const answer = await awaitAnswer(options, { ...task, target });
      if (answer === 'accepted') return task.jobId;
      if (answer !== 'deleted') throw answer;
    }
    throw new Problem('operation-aborted', 'Copies of this request were refused at the same time.');
  };
}

/**
 * Refuses the create of an attempt of this service. It would wait for the slot that the attempt holds, and every
 * attempt would make another task.
 */
async function refuseOwnCall(
  { taskName }: TaskParameters,
  isMarker: CreateTaskOptions['isMarker'],
): Promise<void> {
  if (!taskName?.startsWith(anyMarkerPrefix) || !(await isMarker(taskName))) return;
  throw awsError(
    'InvalidParameterException',
    'The task name is that of an export job. Either another client copied it, or the gateway calls itself: then remove AWS_ENDPOINT_URL_CLOUDWATCH_LOGS and AWS_ENDPOINT_URL from the environment of its process.',
  );
}

/** Returns the task of a request that was sent before, or accepts a new one. */
async function findOrAccept(
  options: CreateTaskOptions,
  { request, target, parameters, sent, traceParent }: CreateRequest,
): Promise<AcceptedTask> {
  const { database, authorizer, newId } = options;
  const { maxWaitingSlices = 0, verification = 'objects' } = options;
  const { principal } = request;
  const keyUses = keyUsesOf(sent, digestOf({ parameters, target: target.name }));
  const sentAt = await readClock(database);
  const known = await findSentTask(database, { caller: principal.id, keyUses, now: sentAt });
  if (known) return known;

  const policies = requirePermit(authorizer, request, target, parameters);
  await requireLogGroup(target.logs, parameters.logGroupName, principal.id);
  const now = await readClock(database); // later, if AWS was slow: its answer is awaited from now on
  return acceptTask(database, {
    jobId: newId(),
    request,
    acceptedAt: now,
    keyUses,
    traceParent,
    plan: planTask(parameters, { target: target.name, now, verification, policies }),
    maxWaitingSlices,
  });
}

/** The keys of a request. The signature decides: it covers the whole request, unlike the id of a client. */
function keyUsesOf(
  { signature, invocationId }: CreateRequest['sent'],
  digest: string,
): [KeyUse, ...KeyUse[]] {
  const ofSignature = { key: `signature:${signature}`, digest };
  if (invocationId === undefined) return [ofSignature];
  return [{ key: `wire:${invocationId}`, digest }, ofSignature];
}

/** Requires that the policies permit the export with the prefix that was asked for. Returns their ids. */
function requirePermit(
  authorizer: Authorizer,
  request: CallerRequest,
  target: OpenTarget,
  parameters: TaskParameters,
): string[] {
  const { logGroupName, destination } = parameters;
  const destinationPrefix = askedPrefixOf(parameters);
  const values = { logGroupName, destination, destinationPrefix, priority: 0 };
  const question = toExportQuestion(target, { ...values, ...toWindow(parameters) });
  const { isPermitted, policies } = authorizer.decide(request, question);
  if (isPermitted) return [...policies];
  throw notAuthorized(request, 'CreateExportTask', logGroupArn(target, logGroupName));
}
