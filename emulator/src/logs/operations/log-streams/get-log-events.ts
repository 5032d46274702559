import { awsError } from '../../../wire/aws-error.ts';
import { flag, integer, long, optional, required, text } from '../../../wire/json-input.ts';
import { expiredBefore, findLogGroup, findLogStream, type LogEvent } from '../../log-groups.ts';
import { chooseGroup, logGroupIdentifier, logGroupName, logStreamName } from '../../names.ts';
import { makeOperation } from '../../operation.ts';
import { eventsLimit, pageEnd } from './event-page.ts';

/**
 * GetLogEvents: the events of one stream by time, from the end unless `startFromHead` is true.
 * `startTime` is inclusive, `endTime` exclusive. Both tokens are always present. At an end of the range
 * the token is the one that was sent. Tokens are positions in the range, so older events that are put
 * later shift them.
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
    const group = findLogGroup(logs.logGroups, chooseGroup(input));
    const { events } = findLogStream(group, input.logStreamName);
    const { startTime = 0n, endTime } = input;
    const firstKept = expiredBefore(group, clock.now(), settings);
    const sorted = events
      .filter(({ timestamp: at }) => at >= startTime && (endTime === undefined || at < endTime))
      .filter(({ timestamp }) => timestamp >= firstKept)
      .sort((one, other) => one.timestamp - other.timestamp);
    const limit = Number(input.limit ?? eventsLimit.max);

    const { isForward, at } = readPlace(input.nextToken, input.startFromHead ?? false);
    const place = Math.min(at, sorted.length);
    const page = isForward
      ? sorted.slice(place, pageEnd(sorted, place, limit))
      : sorted.slice(0, place).reverse();
    const chosen = isForward ? page : page.slice(0, pageEnd(page, 0, limit)).reverse();
    const start = isForward ? place : place - chosen.length;
    return {
      output: {
        events: chosen.map(showEvent),
        nextForwardToken: writePlace('f', start + chosen.length),
        nextBackwardToken: writePlace('b', start),
      },
    };
  },
);

function showEvent({ timestamp, message, ingestedAt }: LogEvent) {
  return { timestamp, message, ingestionTime: ingestedAt };
}

/** A direction and 56 digits, as in AWS's tokens. */
function writePlace(direction: 'f' | 'b', at: number): string {
  return `${direction}/${String(at).padStart(56, '0')}/s`;
}

function readPlace(
  token: string | undefined,
  isFromHead: boolean,
): { isForward: boolean; at: number } {
  if (token === undefined) return { isForward: isFromHead, at: isFromHead ? 0 : Infinity };
  const [, direction, digits] = /^([fb])\/(\d{56})\/s$/.exec(token) ?? [];
  if (!digits) throw awsError('InvalidParameterException', 'The specified nextToken is invalid.');
  return { isForward: direction === 'f', at: Number(digits) };
}
