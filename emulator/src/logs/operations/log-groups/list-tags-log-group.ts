import { required } from '../../../wire/json-input.ts';
import { findLogGroup } from '../../log-groups.ts';
import { logGroupName } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** ListTagsLogGroup: the older operation, by name. */
export const listTagsLogGroup = makeOperation(
  { logGroupName: required(logGroupName) },
  ({ logGroupName }, { logs }) => ({
    output: { tags: findLogGroup(logs.logGroups, logGroupName).tags },
  }),
);
