import { required } from '../../../wire/json-input.ts';
import { findLogGroup } from '../../log-groups.ts';
import { logGroupName } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** DeleteLogGroup: with its streams and events; an export of it that runs ends FAILED (assumption). */
export const deleteLogGroup = makeOperation(
  { logGroupName: required(logGroupName) },
  ({ logGroupName }, { logs }) => {
    findLogGroup(logs.logGroups, logGroupName);
    logs.logGroups.delete(logGroupName);
    return { effect: { kind: 'log-group-deleted', logGroupName } };
  },
);
