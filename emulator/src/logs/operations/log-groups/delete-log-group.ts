import { required } from '../../../wire/json-input.ts';
import { findLogGroup } from '../../log-groups.ts';
import { logGroupName } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** DeleteLogGroup: removes streams and events too. A running export of the group fails (assumption). */
export const deleteLogGroup = makeOperation(
  { logGroupName: required(logGroupName) },
  ({ logGroupName }, { logs }) => {
    findLogGroup(logs.logGroups, logGroupName);
    logs.logGroups.delete(logGroupName);
    return { effect: { kind: 'log-group-deleted', logGroupName } };
  },
);
