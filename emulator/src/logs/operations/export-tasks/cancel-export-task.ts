import { awsError } from '../../../wire/aws-error.ts';
import { required, text } from '../../../wire/json-input.ts';
import { isActive } from '../../exports/export-tasks.ts';
import { makeOperation } from '../../operation.ts';

/** CancelExportTask: cancels a PENDING or RUNNING task. Both error messages are recorded. */
export const cancelExportTask = makeOperation(
  { taskId: required(text({ min: 1, max: 512 })) },
  ({ taskId }, { logs, settings }) => {
    const task = logs.exportTasks.find(taskId);
    if (!task) {
      throw awsError('ResourceNotFoundException', 'The specified export task does not exist.');
    }
    const isPendingCancel = task.status === 'PENDING_CANCEL';
    if (!isActive(task) && !(isPendingCancel && settings.pendingCancelIsCancellable)) {
      throw awsError('InvalidOperationException', 'The specified export task has already finished');
    }

    if (!isPendingCancel) logs.exportTasks.cancel(task);
    return { effect: { kind: 'task-cancel-requested', taskId } };
  },
);
