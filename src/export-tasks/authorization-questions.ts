import type { Decision, Question, TargetIdentity } from '#auth/authorization/authorizer.ts';
import type { ExportGrant } from '#aws/cloudwatch-logs.ts';
import type { AwsExportTask } from '#aws/export-task.ts';
import type { EffectiveTask } from './creating/effective-task.ts';

/** May this be created? Asked with the very values that are sent to AWS. */
export function toCreateQuestion(target: TargetIdentity, task: EffectiveTask): Question {
  const { logGroupName, destination, destinationPrefix, from, to } = task;
  return {
    action: 'CreateExportTask',
    resource: { target, logGroupName },
    context: { destination, destinationPrefix, from, to },
  };
}

/**
 * What a create may export, if it may: what was asked about, not what is then sent. Where a mistake
 * makes the two differ, or a no is not listened to, a session narrowed to the grant refuses.
 */
export function grantOf(
  { resource, context }: Question,
  { isPermitted }: Decision,
): ExportGrant | undefined {
  if (!isPermitted) return undefined;
  return {
    logGroupName: resource.logGroupName ?? '',
    destination: context?.destination ?? '',
    destinationPrefix: context?.destinationPrefix ?? '',
  };
}

/**
 * May this be done to a task? Asked by the task's own log group and bucket; of a task that does not
 * exist, by none, which takes as long.
 */
export function toTaskQuestion(
  action: 'DescribeExportTasks' | 'CancelExportTask',
  target: TargetIdentity,
  task: AwsExportTask = {},
): Question {
  const { logGroupName = '', destination, destinationPrefix } = task;
  return {
    action,
    resource: { target, logGroupName },
    context: { destination, destinationPrefix },
  };
}
