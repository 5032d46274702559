import { awsError } from '../../../wire/aws-error.ts';
import { required } from '../../../wire/json-input.ts';
import { findLogGroup } from '../../log-groups.ts';
import { groupNameOf, maxTags, resourceArn, tags as tagsShape } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** TagResource: adds tags to a log group, or replaces their values. */
export const tagResource = makeOperation(
  { resourceArn: required(resourceArn), tags: required(tagsShape) },
  ({ resourceArn, tags }, { logs }) => {
    const group = findLogGroup(logs.logGroups, groupNameOf(resourceArn, logs));
    const all = { ...group.tags, ...tags };
    if (Object.keys(all).length > maxTags) {
      throw awsError('TooManyTagsException', `A resource has at most ${maxTags} tags.`);
    }
    group.tags = all;
    return { effect: { kind: 'log-group-changed', logGroupName: group.logGroupName } };
  },
);
