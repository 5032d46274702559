import { awsError } from '../../../wire/aws-error.ts';
import { integer, required } from '../../../wire/json-input.ts';
import { findLogGroup } from '../../log-groups.ts';
import { logGroupName } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** The numbers of days that the service model documents. */
const validDays = new Set([
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
]);

/** PutRetentionPolicy: the error for another number of days is unverified. */
export const putRetentionPolicy = makeOperation(
  { logGroupName: required(logGroupName), retentionInDays: required(integer()) },
  ({ logGroupName, retentionInDays }, { logs }) => {
    const days = Number(retentionInDays);
    if (!validDays.has(days)) {
      throw awsError('InvalidParameterException', `Invalid retention value: ${days}`);
    }
    findLogGroup(logs.logGroups, logGroupName).retentionInDays = days;
    return { effect: { kind: 'log-group-changed', logGroupName } };
  },
);

/** DeleteRetentionPolicy: events no longer expire. */
export const deleteRetentionPolicy = makeOperation(
  { logGroupName: required(logGroupName) },
  ({ logGroupName }, { logs }) => {
    findLogGroup(logs.logGroups, logGroupName).retentionInDays = undefined;
    return { effect: { kind: 'log-group-changed', logGroupName } };
  },
);
