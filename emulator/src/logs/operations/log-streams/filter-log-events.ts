import { awsError } from '../../../wire/aws-error.ts';
import { flag, integer, list, long, optional, text } from '../../../wire/json-input.ts';
import { findLogGroup } from '../../log-groups.ts';
import { chooseGroup, logGroupIdentifier, logGroupName, logStreamName } from '../../names.ts';
import { readNextToken, writeNextToken } from '../../next-token.ts';
import { makeOperation } from '../../operation.ts';
import { eventsLimit, pageEnd } from './event-page.ts';
import { readFilterPattern } from './filter-pattern.ts';

const operation = 'FilterLogEvents';

/** FilterLogEvents: events of all or some streams, by time. Both ends are inclusive (service model). */
export const filterLogEvents = makeOperation(
  {
    logGroupName: optional(logGroupName),
    logGroupIdentifier: optional(logGroupIdentifier),
    logStreamNames: optional(list(logStreamName, { min: 1, max: 100 })),
    logStreamNamePrefix: optional(logStreamName),
    startTime: optional(long({ min: 0 })),
    endTime: optional(long({ min: 0 })),
    filterPattern: optional(text({ max: 1024 })),
    nextToken: optional(text({ min: 1 })),
    limit: optional(integer(eventsLimit)),
    interleaved: optional(flag()),
  },
  (input, { logs, clock, settings }) => {
    const { logStreamNames: names, logStreamNamePrefix: prefix = '', startTime = 0n } = input;
    if (names !== undefined && input.logStreamNamePrefix !== undefined) {
      throw awsError(
        'InvalidParameterException',
        'Cannot specify both logStreamNames and logStreamNamePrefix.',
      );
    }
    const { streams } = findLogGroup(logs.logGroups, chooseGroup(input));
    const isWanted = readFilterPattern(input.filterPattern ?? '');
    const wanted = new Set(names);
    const now = clock.now();
    const { nextTokenTtlMs: ttlMs } = settings;
    const start = input.nextToken
      ? readNextToken<number>(input.nextToken, { operation, now, ttlMs })
      : 0;

    const found = [...streams.values()]
      .filter(({ logStreamName }) =>
        names === undefined ? logStreamName.startsWith(prefix) : wanted.has(logStreamName),
      )
      .flatMap(({ logStreamName, events }) =>
        events.map((event, number) => ({ ...event, logStreamName, number })),
      )
      .filter(
        ({ timestamp, message }) =>
          timestamp >= startTime &&
          (input.endTime === undefined || timestamp <= input.endTime) &&
          isWanted(message),
      )
      .sort((one, other) => one.timestamp - other.timestamp);

    const end = pageEnd(found, start, Number(input.limit ?? eventsLimit.max));
    const events = found.slice(start, end).map((event) => ({
      logStreamName: event.logStreamName,
      timestamp: event.timestamp,
      message: event.message,
      ingestionTime: event.ingestedAt,
      eventId: eventId(event),
    }));
    const nextToken = end < found.length ? writeNextToken(operation, end, now) : undefined;
    return { output: { events, searchedLogStreams: [], nextToken } };
  },
);

/** 56 digits, as in AWS's ids. Different for each event of a group. */
function eventId(event: { timestamp: number; logStreamName: string; number: number }): string {
  const stream = BigInt(`0x${Buffer.from(event.logStreamName).toString('hex')}`) % 10n ** 20n;
  const digits = [
    String(event.timestamp).padStart(16, '0'),
    String(stream).padStart(20, '0'),
    String(event.number).padStart(20, '0'),
  ];
  return digits.join('');
}
