import { awsError } from '../../../wire/aws-error.ts';
import { flag, integer, long, optional, required, text } from '../../../wire/json-input.ts';
import { expiredBefore, findLogGroup, findLogStream, type LogEvent } from '../../log-groups.ts';
import { chooseGroup, logGroupIdentifier, logGroupName, logStreamName } from '../../names.ts';
import { makeOperation } from '../../operation.ts';
import { byPlace, type EventPlace, eventsLimit, pageEnd } from './event-page.ts';

/**
 * GetLogEvents: the events of one stream by time, from the end unless `startFromHead` is true.
 * `startTime` is inclusive, `endTime` exclusive. Both tokens are always present. At an end of the range
 * the token is the one that was sent.
 */
export const getLogEvents = makeOperation(
  {
    logGroupName: optional(logGroupName),
    logGroupIdentifier: optional(logGroupIdentifier),
    logStreamName: required(logStreamName),
    startTime: optional(long({ min: 0 })),
    endTime: optional(long({ min: 0 })),
    nextToken: optional(text({ min: 1 })),
    limit: optional(integer(eventsLimit)),
    startFromHead: optional(flag()),
  },
  (input, { logs, clock, settings }) => {
    const group = findLogGroup(logs.logGroups, chooseGroup(input, logs));
    const { events } = findLogStream(group, input.logStreamName);
    const { startTime = 0n, endTime } = input;
    const firstKept = expiredBefore(group, clock.now(), settings);
    const { isForward, bound } = readToken(input.nextToken, input.startFromHead ?? false);
    const found = events
      .map((event, number) => ({ ...event, ...placeOf(event, number) }))
      .filter(({ timestamp: at }) => at >= startTime && (endTime === undefined || at < endTime))
      .filter(({ timestamp }) => timestamp >= firstKept)
      .filter((event) => !bound || byPlace(event, bound) >= 0 === isForward)
      .sort(isForward ? byPlace : (one, other) => byPlace(other, one));
    const page = found.slice(0, pageEnd(found, 0, Number(input.limit ?? eventsLimit.max)));
    if (!isForward) page.reverse();
    const [first = bound ?? placeOf({ timestamp: 0 }, 0)] = page;
    const last = page.at(-1);
    const end = last ? placeOf(last, last.number + 1) : first;
    return {
      output: {
        events: page.map(showEvent),
        nextForwardToken: writeToken('f', end),
        nextBackwardToken: writeToken('b', first),
      },
    };
  },
);

function showEvent({ timestamp, message, ingestedAt }: LogEvent) {
  return { timestamp, message, ingestionTime: ingestedAt };
}

function placeOf({ timestamp }: { timestamp: number }, number: number): EventPlace {
  return { timestamp, logStreamName: '', number };
}

/** A direction and 56 digits, as in AWS's tokens. They are the place of the first event after the token. */
function writeToken(direction: 'f' | 'b', { timestamp, number }: EventPlace): string {
  return `${direction}/${String(timestamp).padStart(16, '0')}${String(number).padStart(40, '0')}/s`;
}

function readToken(
  token: string | undefined,
  isFromHead: boolean,
): { isForward: boolean; bound?: EventPlace } {
  if (token === undefined) return { isForward: isFromHead };
  const [, direction, time, number] = /^([fb])\/(\d{16})(\d{40})\/s$/.exec(token) ?? [];
  if (!time) throw awsError('InvalidParameterException', 'The specified nextToken is invalid.');
  const bound = placeOf({ timestamp: Number(time) }, Number(number));
  return { isForward: direction === 'f', bound };
}
