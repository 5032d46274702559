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

/** For whom a task is created, what they were permitted, and what they may hear of other tasks. */
export interface CreateOnBehalf {
  caller: string;
  grant: ExportGrant | undefined;
  /** A task as they may see it, if they may. */
  see: (task: AwsExportTask) => Promise<AwsExportTask | undefined>;
  /** Aborts when the caller has gone: a create that still waits for its turn is not sent then. */
  signal?: AbortSignal | undefined;
}

/**
 * Creates an export task with exactly one CreateExportTask, whatever happens to the answer. When
 * the outcome is unknown, AWS's own list decides.
 */
export function makeCreateOnce(options: OutcomeLookUpOptions) {
  const { lookFor, markTold } = makeOutcomeLookUp(options);

  return async function createOnce(
    target: OpenTarget,
    task: EffectiveTask,
    { caller, grant, signal, see }: CreateOnBehalf,
  ): Promise<CreatedTask> {
    let beganAt = options.elapsed();
    const maySend = () => {
      beganAt = options.elapsed(); // it may have waited for its turn, and for a session
      return true;
    };
    const how = { caller, grant, signal, maySend };
    const result = await target.logs.createExportTask(task, how);
    switch (result.outcome) {
      case 'accepted':
        markTold(result.taskId);
        return result;
      case 'not-sent':
        throw result.problem;
      case 'refused':
        throw await withWhatHelps(result.problem, target, task, { caller, see });
      case 'unknown': {
        const { cause, answer } = result;
        const look = await lookFor(target.logs, task, { beganAt, caller });
        if (look.found) return look.found;
        // A list without the task proves nothing: AWS may list it later.
        const detail = await unknownDetail(answer, look, see);
        throw new Problem('outcome-unknown', detail, { cause, ...answer?.members });
      }
    }
  };
}

/** The same refusal, with what its caller needs to go on. */
async function withWhatHelps(
  refusal: Problem,
  target: OpenTarget,
  task: EffectiveTask,
  asked: Pick<CreateOnBehalf, 'caller' | 'see'>,
): Promise<Problem> {
  if (refusal.slug === 'export-slot-taken') return withSlotHolder(target.logs, refusal, asked);
  return withBucketPolicy(refusal, { ...target, bucket: task.destination });
}

/** The same refusal, with the task that holds the slot, where AWS's list shows it and the caller may see it. */
async function withSlotHolder(
  logs: CloudWatchLogs,
  refusal: Problem,
  { caller, see }: Pick<CreateOnBehalf, 'caller' | 'see'>,
): Promise<Problem> {
  const active =
    (await findActive(logs, { isFresh: false, caller })) ??
    (await findActive(logs, { isFresh: true, caller }));
  const holder = active && (await see(active));
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

// There is one slot, so the active task is among the newest; a failed look leaves it unnamed.
async function findActive(
  logs: CloudWatchLogs,
  how: { isFresh: boolean; caller: string },
): Promise<AwsExportTask | undefined> {
  const page = await logs.describeExportTasks({ limit: 50 }, how).catch(() => undefined);
  return page?.exportTasks.find(isActive);
}

async function unknownDetail(
  answer: Problem | undefined,
  { isUnlisted, nearMiss }: OutcomeLookUp,
  see: CreateOnBehalf['see'],
): Promise<string> {
  const sent = answer
    ? `${answer.detail} AWS may have created the task or not.`
    : 'CreateExportTask was sent and its answer was lost.';
  if (nearMiss) {
    const { taskId } = (await see(nearMiss)) ?? {};
    const which = taskId === undefined ? 'a task' : `task ${taskId}`;
    return `${sent} AWS lists ${which} of this log group that may be the new one, but not all its values match.`;
  }
  return isUnlisted
    ? `${sent} AWS does not list the task yet, but it may still appear.`
    : `${sent} This service could not read the whole list of tasks from AWS.`;
}
