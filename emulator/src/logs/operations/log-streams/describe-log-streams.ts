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
    const groupName = chooseGroup(input);
    const { logStreamNamePrefix: prefix, orderBy } = input;
    if (prefix !== undefined && orderBy === 'LastEventTime') {
      throw awsError(
        'InvalidParameterException',
        'Cannot order by LastEventTime with a logStreamNamePrefix.',
      );
    }
    const now = clock.now();
    const ttlMs = settings.nextTokenTtlMs;
    const place =
      input.nextToken && readNextToken<number>(input.nextToken, { operation, now, ttlMs });
    const start = Number(place ?? 0);

    const { streams } = findLogGroup(logs.logGroups, groupName);
    const ordered = [...streams.values()]
      .filter((stream) => stream.logStreamName.startsWith(prefix ?? ''))
      .sort(orderBy === 'LastEventTime' ? byLastEvent : byName);
    if (input.descending) ordered.reverse();

    const end = start + Number(input.limit ?? describeLimit.max);
    const arn = logGroupArn(logs, groupName);
    const logStreams = ordered.slice(start, end).map((stream) => showStream(stream, arn));
    if (end >= ordered.length) return { output: { logStreams } };
    return { output: { logStreams, nextToken: writeNextToken(operation, end, now) } };
  },
);

function byName(left: LogStream, right: LogStream): number {
  return left.logStreamName < right.logStreamName ? -1 : 1;
}

function byLastEvent(left: LogStream, right: LogStream): number {
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
