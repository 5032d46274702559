import type { Decision, Question, TargetIdentity } from '#auth/authorization/authorizer.ts';
import type { ExportGrant } from '#aws/call-options.ts';
import type { AwsExportTask } from '#aws/export-task.ts';
import type { EffectiveTask } from './creating/default-prefix.ts';

/** The question whether this task may be created, with the values that are sent to AWS. */
export function toCreateQuestion(target: TargetIdentity, task: EffectiveTask): Question {
  const { logGroupName, destination, destinationPrefix, from, to } = task;
  return {
    action: 'CreateExportTask',
    resource: { target, logGroupName },
    context: { destination, destinationPrefix, from, to },
  };
}

/**
 * The grant of a permitted create: the values that were authorized, not those that are sent. If a defect
 * makes them differ, or ignores a denial, a session limited to the grant refuses the create.
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
 * The question whether this may be done to a task, with the log group and the bucket of the task. For a
 * task that does not exist they are empty, so that the decision takes the same time.
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
