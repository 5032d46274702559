import { awsError } from '../../../wire/aws-error.ts';
import { required } from '../../../wire/json-input.ts';
import { addLogStream, findLogGroup } from '../../log-groups.ts';
import { logGroupName, logStreamName } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** CreateLogStream: adds an empty stream to a log group. */
export const createLogStream = makeOperation(
  { logGroupName: required(logGroupName), logStreamName: required(logStreamName) },
  ({ logGroupName, logStreamName }, { logs, clock }) => {
    const group = findLogGroup(logs.logGroups, logGroupName);
    if (group.streams.has(logStreamName)) {
      throw awsError('ResourceAlreadyExistsException', 'The specified log stream already exists');
    }
    addLogStream(group, logStreamName, clock.now());
    return { effect: { kind: 'log-stream-created', logGroupName, logStreamName } };
  },
);
