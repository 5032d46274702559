import { awsError } from '../../../wire/aws-error.ts';
import { required } from '../../../wire/json-input.ts';
import { findLogGroup } from '../../log-groups.ts';
import { logGroupName } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/**
 * DeleteLogGroup: removes streams and events too. A running export of the group fails (assumption). The
 * error for a protected group is an assumption too.
 */
export const deleteLogGroup = makeOperation(
  { logGroupName: required(logGroupName) },
  ({ logGroupName }, { logs }) => {
    const { isDeletionProtected } = findLogGroup(logs.logGroups, logGroupName);
    if (isDeletionProtected) {
      throw awsError('ValidationException', 'Deletion protection is enabled for the log group.');
    }
    logs.logGroups.delete(logGroupName);
    return { effect: { kind: 'log-group-deleted', logGroupName } };
  },
);
