import { flag, required } from '../../../wire/json-input.ts';
import { findLogGroup } from '../../log-groups.ts';
import { groupNameOf, logGroupIdentifier } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** PutLogGroupDeletionProtection: a protected group cannot be deleted. */
export const putLogGroupDeletionProtection = makeOperation(
  {
    logGroupIdentifier: required(logGroupIdentifier),
    deletionProtectionEnabled: required(flag()),
  },
  ({ logGroupIdentifier: identifier, deletionProtectionEnabled }, { logs }) => {
    const group = findLogGroup(logs.logGroups, groupNameOf(identifier, logs));
    group.isDeletionProtected = deletionProtectionEnabled;
    return { effect: { kind: 'log-group-changed', logGroupName: group.logGroupName } };
  },
);
