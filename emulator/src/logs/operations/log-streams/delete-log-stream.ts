import { required } from '../../../wire/json-input.ts';
import { findLogGroup, findLogStream, removeLogStream } from '../../log-groups.ts';
import { logGroupName, logStreamName } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** DeleteLogStream: removes a stream and its events. */
export const deleteLogStream = makeOperation(
  { logGroupName: required(logGroupName), logStreamName: required(logStreamName) },
  ({ logGroupName, logStreamName }, { logs }) => {
    const group = findLogGroup(logs.logGroups, logGroupName);
    removeLogStream(group, findLogStream(group, logStreamName));
    return { effect: { kind: 'log-stream-deleted', logGroupName, logStreamName } };
  },
);
