import { awsError } from '../../../wire/aws-error.ts';
import { flag, integer, long, optional, required, text } from '../../../wire/json-input.ts';
import { findLogGroup, findLogStream, type LogEvent } from '../../log-groups.ts';
import { chooseGroup, logGroupIdentifier, logGroupName, logStreamName } from '../../names.ts';
import { makeOperation } from '../../operation.ts';
import { eventsLimit, pageEnd } from './event-page.ts';

/**
 * GetLogEvents: one stream by time, from its end unless told otherwise; `startTime` inclusive,
 * `endTime` exclusive. Both tokens are always there; one that leads nowhere comes back as it was.
 * They are places in the range: older events that are put meanwhile move it.
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
  (input, { logs }) => {
    const group = findLogGroup(logs.logGroups, chooseGroup(input));
    const { events } = findLogStream(group, input.logStreamName);
    const { startTime = 0n, endTime } = input;
    const sorted = events
      .filter(({ timestamp: at }) => at >= startTime && (endTime === undefined || at < endTime))
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

/** As AWS's look: a direction, 56 digits. */
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
