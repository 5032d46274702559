import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { type CreateExportTask, type ExportTask, isActive } from '#aws/export-task.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import { bucketPolicyFor } from './bucket-policy.ts';
import { type CreatedTask, type LookUpOptions, makeLookUp } from './look-up.ts';

/**
 * Creates an export task with exactly one CreateExportTask, whatever happens to the answer. When
 * the outcome is unknown, AWS's own list decides.
 */
export function makeCreateOnce(options: LookUpOptions) {
  const { lookFor, markTold } = makeLookUp(options);

  return async function createOnce(
    target: OpenTarget,
    task: CreateExportTask,
  ): Promise<CreatedTask> {
    const beganAt = options.elapsed();
    const result = await target.logs.createExportTask(task);
    switch (result.outcome) {
      case 'accepted':
        markTold(result.taskId);
        return result;
      case 'not-sent':
        throw result.problem;
      case 'refused':
        throw await withWhatHelps(result.problem, target, task);
      case 'unknown': {
        const { cause, answer } = result;
        const { found, isCertain } = await lookFor(target.logs, task, beganAt);
        if (found) return found;
        // AWS did answer, so nothing is under way any more, and it lists no such task.
        if (answer && isCertain) throw asNotCreated(answer);
        throw new Problem('outcome-unknown', unknownDetail(isCertain), {
          cause,
          ...(answer?.members.awsErrorCode && { awsErrorCode: answer.members.awsErrorCode }),
        });
      }
    }
  };
}

/** The same refusal, with what its caller needs to go on. */
async function withWhatHelps(
  refusal: Problem,
  target: OpenTarget,
  task: CreateExportTask,
): Promise<Problem> {
  switch (refusal.slug) {
    case 'export-slot-taken':
      return withSlotHolder(target.logs, refusal);
    case 'destination-not-writable':
      return new Problem(refusal.slug, refusal.detail, {
        ...refusal.members,
        bucketPolicy: bucketPolicyFor({ ...target, bucket: task.destination }),
      });
    default:
      return refusal;
  }
}

/** The same refusal, with the task that holds the slot, where AWS's list shows it. */
async function withSlotHolder(logs: CloudWatchLogs, refusal: Problem): Promise<Problem> {
  const holder = (await findActive(logs, false)) ?? (await findActive(logs, true));
  if (holder?.taskId === undefined) return refusal;
  const { taskId, taskName, logGroupName, status, executionInfo } = holder;
  const since =
    executionInfo?.creationTime === undefined
      ? undefined
      : new Date(executionInfo.creationTime).toISOString();
  const detail = `Export task ${taskId}${logGroupName ? ` of log group ${logGroupName}` : ''} holds the slot${since ? ` since ${since}` : ''}.`;
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
async function findActive(logs: CloudWatchLogs, isFresh: boolean): Promise<ExportTask | undefined> {
  const page = await logs.describeExportTasks({ limit: 50 }, { isFresh }).catch(() => undefined);
  return page?.exportTasks.find(isActive);
}

function asNotCreated(answer: Problem): Problem {
  return new Problem(
    answer.slug,
    `${answer.detail} AWS lists no such task: none was created.`,
    answer.members,
  );
}

function unknownDetail(isCertain: boolean): string {
  return isCertain
    ? 'CreateExportTask was sent and its answer was lost. AWS lists no such task yet; the request may still take effect.'
    : 'CreateExportTask was sent, its answer was lost, and AWS could not be asked which tasks there are.';
}
