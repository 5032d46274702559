import { list, required, text } from '../../../wire/json-input.ts';
import { findLogGroup } from '../../log-groups.ts';
import { groupNameOf, maxTags, resourceArn } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** UntagResource: removes tags. Ignores unknown keys. */
export const untagResource = makeOperation(
  {
    resourceArn: required(resourceArn),
    tagKeys: required(list(text({ min: 1, max: 128 }), { max: maxTags })),
  },
  ({ resourceArn, tagKeys }, { logs }) => {
    const group = findLogGroup(logs.logGroups, groupNameOf(resourceArn, logs));
    const removed = new Set(tagKeys);
    group.tags = Object.fromEntries(
      Object.entries(group.tags).filter(([key]) => !removed.has(key)),
    );
    return { effect: { kind: 'log-group-changed', logGroupName: group.logGroupName } };
  },
);
