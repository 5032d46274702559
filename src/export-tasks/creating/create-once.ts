import type { CloudWatchLogs, ExportGrant } from '#aws/cloudwatch-logs.ts';
import { type AwsExportTask, isActive } from '#aws/export-task.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import { toDateTime } from '#time/date-time.ts';
import { withBucketPolicy } from './bucket-policy.ts';
import type { EffectiveTask } from './effective-task.ts';
import {
  type CreatedTask,
  makeOutcomeLookUp,
  type OutcomeLookUp,
  type OutcomeLookUpOptions,
} from './outcome-look-up.ts';

/** The caller of a create, the grant, and the caller's view of other tasks. */
export interface CreateOnceOptions {
  caller: string;
  grant: ExportGrant | undefined;
  /** Another task as the caller may see it; `undefined` if they may not. */
  view: (task: AwsExportTask) => Promise<AwsExportTask | undefined>;
  /** Aborts when the caller has disconnected. A create that still waits is then not sent. */
  signal?: AbortSignal | undefined;
}

/**
 * Creates an export task with exactly one CreateExportTask, even if its answer is lost. When the outcome
 * is unknown, it is looked up in the list of AWS.
 */
export function makeCreateOnce(options: OutcomeLookUpOptions) {
  const { lookUp, markReported } = makeOutcomeLookUp(options);

  return async function createOnce(
    target: OpenTarget,
    task: EffectiveTask,
    { caller, grant, signal, view }: CreateOnceOptions,
  ): Promise<CreatedTask> {
    let beganAt = options.elapsed();
    const maySend = () => {
      beganAt = options.elapsed(); // it may have waited for the budget and for a session
      return true;
    };
    const callOptions = { caller, grant, signal, maySend };
    const result = await target.logs.createExportTask(task, callOptions);
    switch (result.outcome) {
      case 'accepted':
        markReported(result.taskId);
        return result;
      case 'not-sent':
        throw result.problem;
      case 'refused':
        throw await withDiagnosis(result.problem, target, task, { caller, view });
      case 'unknown': {
        const { cause, answer } = result;
        const lookedUp = await lookUp(target.logs, task, { beganAt, caller });
        if (lookedUp.found) return lookedUp.found;
        // A list without the task proves nothing: AWS may list it later.
        const detail = await unknownDetail(answer, lookedUp, view);
        throw new Problem('outcome-unknown', detail, { cause, ...answer?.members });
      }
    }
  };
}

/** Adds to a refusal the slot holder, or a bucket policy. */
async function withDiagnosis(
  refusal: Problem,
  target: OpenTarget,
  task: EffectiveTask,
  options: Pick<CreateOnceOptions, 'caller' | 'view'>,
): Promise<Problem> {
  if (refusal.slug === 'export-slot-taken') return withSlotHolder(target.logs, refusal, options);
  return withBucketPolicy(refusal, { ...target, bucket: task.destination });
}

/** Adds the task that holds the slot to a refusal, if AWS lists it and the caller may see it. */
async function withSlotHolder(
  logs: CloudWatchLogs,
  refusal: Problem,
  { caller, view }: Pick<CreateOnceOptions, 'caller' | 'view'>,
): Promise<Problem> {
  const active =
    (await findActive(logs, { isFresh: false, caller })) ??
    (await findActive(logs, { isFresh: true, caller }));
  const holder = active && (await view(active));
  if (holder?.taskId === undefined) return refusal;
  const { taskId, taskName, logGroupName, status, executionInfo } = holder;
  const since =
    executionInfo?.creationTime === undefined ? undefined : toDateTime(executionInfo.creationTime);
  const detail = `Export task ${taskId}${logGroupName ? ` of log group ${logGroupName}` : ''} holds the slot${since ? `. It was created at ${since}` : ''}.`;
  return new Problem('export-slot-taken', detail, {
    ...refusal.members,
    slotHolder: {
      taskId,
      status: status?.code ?? 'RUNNING',
      ...(taskName !== undefined && { taskName }),
      ...(logGroupName !== undefined && { logGroupName }),
      ...(since !== undefined && { since }),
    },
  });
}

// There is one slot, so the active task is among the newest. If the call fails, no task is named.
async function findActive(
  logs: CloudWatchLogs,
  options: { isFresh: boolean; caller: string },
): Promise<AwsExportTask | undefined> {
  const page = await logs.describeExportTasks({ limit: 50 }, options).catch(() => undefined);
  return page?.exportTasks.find(isActive);
}

async function unknownDetail(
  answer: Problem | undefined,
  { isUnlisted, nearMiss }: OutcomeLookUp,
  view: CreateOnceOptions['view'],
): Promise<string> {
  const sent = answer
    ? `${answer.detail} AWS may have created the task or not.`
    : 'CreateExportTask was sent and its answer was lost.';
  if (nearMiss) {
    const { taskId } = (await view(nearMiss)) ?? {};
    const which = taskId === undefined ? 'a task' : `task ${taskId}`;
    return `${sent} AWS lists ${which} of this log group that may be the new one, but not all its values match.`;
  }
  return isUnlisted
    ? `${sent} AWS does not list the task yet, but it may still appear.`
    : `${sent} This service could not read the whole list of tasks from AWS.`;
}
