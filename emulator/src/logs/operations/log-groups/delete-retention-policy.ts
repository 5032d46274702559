import { required } from '../../../wire/json-input.ts';
import { findLogGroup } from '../../log-groups.ts';
import { logGroupName } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** DeleteRetentionPolicy: events no longer expire. */
export const deleteRetentionPolicy = makeOperation(
  { logGroupName: required(logGroupName) },
  ({ logGroupName }, { logs }) => {
    findLogGroup(logs.logGroups, logGroupName).retentionInDays = undefined;
    return { effect: { kind: 'log-group-changed', logGroupName } };
  },
);
