import { awsError } from '../../../wire/aws-error.ts';
import { flag, integer, optional, text } from '../../../wire/json-input.ts';
import { findLogGroup, type LogStream } from '../../log-groups.ts';
import {
  chooseGroup,
  describeLimit,
  logGroupArn,
  logGroupIdentifier,
  logGroupName,
  logStreamName,
} from '../../names.ts';
import { readNextToken, writeNextToken } from '../../next-token.ts';
import { makeOperation } from '../../operation.ts';

const operation = 'DescribeLogStreams';

/** What decides about the place of a stream in a listing. */
type StreamPlace = Pick<LogStream, 'logStreamName' | 'lastTimestamp'>;

/** DescribeLogStreams: sorted by name or by the time of the last event. */
export const describeLogStreams = makeOperation(
  {
    logGroupName: optional(logGroupName),
    logGroupIdentifier: optional(logGroupIdentifier),
    logStreamNamePrefix: optional(logStreamName),
    orderBy: optional(text({ values: ['LogStreamName', 'LastEventTime'] })),
    descending: optional(flag()),
    nextToken: optional(text({ min: 1 })),
    limit: optional(integer(describeLimit)),
  },
  (input, { logs, clock, settings }) => {
    const groupName = chooseGroup(input, logs);
    const { logStreamNamePrefix: prefix, orderBy } = input;
    if (prefix !== undefined && orderBy === 'LastEventTime') {
      throw awsError(
        'InvalidParameterException',
        'Cannot order by LastEventTime with a logStreamNamePrefix.',
      );
    }
    const now = clock.now();
    const ttlMs = settings.nextTokenTtlMs;
    const after =
      input.nextToken && readNextToken<StreamPlace>(input.nextToken, { operation, now, ttlMs });
    const ascending = orderBy === 'LastEventTime' ? byLastEvent : byName;
    const inOrder = (left: StreamPlace, right: StreamPlace) =>
      input.descending ? ascending(right, left) : ascending(left, right);

    const { streams } = findLogGroup(logs.logGroups, groupName);
    const left = [...streams.values()]
      .filter((stream) => stream.logStreamName.startsWith(prefix ?? ''))
      .filter((stream) => !after || inOrder(after, stream) < 0)
      .sort(inOrder);

    const page = left.slice(0, Number(input.limit ?? describeLimit.max));
    const last = page.at(-1);
    const arn = logGroupArn(logs, groupName);
    const logStreams = page.map((stream) => showStream(stream, arn));
    if (!last || page.length === left.length) return { output: { logStreams } };
    const { logStreamName, lastTimestamp } = last;
    const place: StreamPlace = { logStreamName, lastTimestamp };
    return { output: { logStreams, nextToken: writeNextToken(operation, place, now) } };
  },
);

function byName(left: StreamPlace, right: StreamPlace): number {
  if (left.logStreamName === right.logStreamName) return 0;
  return left.logStreamName < right.logStreamName ? -1 : 1;
}

function byLastEvent(left: StreamPlace, right: StreamPlace): number {
  return (left.lastTimestamp ?? 0) - (right.lastTimestamp ?? 0) || byName(left, right);
}

/** A stream as AWS shows it. `storedBytes` is always 0 (documentation). */
function showStream(stream: LogStream, groupArn: string) {
  return {
    logStreamName: stream.logStreamName,
    creationTime: stream.createdAt,
    firstEventTimestamp: stream.firstTimestamp,
    lastEventTimestamp: stream.lastTimestamp,
    lastIngestionTime: stream.events.at(-1)?.ingestedAt,
    arn: `${groupArn}:log-stream:${stream.logStreamName}`,
    storedBytes: 0,
  };
}
