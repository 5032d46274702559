import { awsError } from '../../../wire/aws-error.ts';
import { flag, integer, list, long, optional, text } from '../../../wire/json-input.ts';
import { expiredBefore, findLogGroup } from '../../log-groups.ts';
import { chooseGroup, logGroupIdentifier, logGroupName, logStreamName } from '../../names.ts';
import { readNextToken, writeNextToken } from '../../next-token.ts';
import { makeOperation } from '../../operation.ts';
import { byPlace, type EventPlace, eventsLimit, pageEnd } from './event-page.ts';
import { readFilterPattern } from './filter-pattern.ts';

const operation = 'FilterLogEvents';

/** The last event of the pages before, and how many pages without events come before the next one. */
interface PagePlace {
  after?: EventPlace | undefined;
  emptyPages: number;
}

/**
 * FilterLogEvents: events of all or some streams, by time. Both ends are inclusive (service model). An
 * option adds pages with a token and without events.
 */
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
    const group = findLogGroup(logs.logGroups, chooseGroup(input, logs));
    const isWanted = readFilterPattern(input.filterPattern ?? '');
    const wanted = new Set(names);
    const now = clock.now();
    const { nextTokenTtlMs: ttlMs, emptyEventPages } = settings;
    const start: PagePlace = { emptyPages: emptyEventPages };
    const { after, emptyPages } = input.nextToken
      ? readNextToken<PagePlace>(input.nextToken, { operation, now, ttlMs })
      : start;
    const answer = (events: object[], next?: PagePlace) => ({
      output: {
        events,
        searchedLogStreams: [],
        nextToken: next && writeNextToken(operation, next, now),
      },
    });
    if (emptyPages > 0) return answer([], { after, emptyPages: emptyPages - 1 });

    const firstKept = expiredBefore(group, now, settings);
    const found = [...group.streams.values()]
      .filter(({ logStreamName }) =>
        names === undefined ? logStreamName.startsWith(prefix) : wanted.has(logStreamName),
      )
      .flatMap(({ logStreamName, events }) =>
        events.flatMap((event, number) => {
          const { timestamp, message } = event;
          const place = { timestamp, logStreamName, number };
          const isFound =
            timestamp >= startTime &&
            timestamp >= firstKept &&
            (input.endTime === undefined || timestamp <= input.endTime) &&
            (after === undefined || byPlace(place, after) > 0) &&
            isWanted(message);
          return isFound ? [{ ...event, ...place }] : [];
        }),
      )
      .sort(byPlace);

    const end = pageEnd(found, 0, Number(input.limit ?? eventsLimit.max));
    const events = found.slice(0, end).map((event) => ({
      logStreamName: event.logStreamName,
      timestamp: event.timestamp,
      message: event.message,
      ingestionTime: event.ingestedAt,
      eventId: eventId(event),
    }));
    const last = found[end - 1];
    if (!last || end === found.length) return answer(events);
    const { timestamp, logStreamName, number } = last;
    return answer(events, { ...start, after: { timestamp, logStreamName, number } });
  },
);

/** 56 digits, as in AWS's ids. Different for each event of a group. */
function eventId(event: EventPlace): string {
  const stream = BigInt(`0x${Buffer.from(event.logStreamName).toString('hex')}`) % 10n ** 20n;
  const digits = [
    String(event.timestamp).padStart(16, '0'),
    String(stream).padStart(20, '0'),
    String(event.number).padStart(20, '0'),
  ];
  return digits.join('');
}
