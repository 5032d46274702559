import { required } from '../../../wire/json-input.ts';
import { findLogGroup } from '../../log-groups.ts';
import { groupNameOf, resourceArn } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** ListTagsForResource: the tags of a log group, by its ARN without `:*`. */
export const listTagsForResource = makeOperation(
  { resourceArn: required(resourceArn) },
  ({ resourceArn }, { logs }) => {
    const { tags } = findLogGroup(logs.logGroups, groupNameOf(resourceArn, logs));
    return { output: { tags } };
  },
);
