import type { Settings } from '../../../options/settings.ts';
import { awsError } from '../../../wire/aws-error.ts';
import { list, long, required, structure, text } from '../../../wire/json-input.ts';
import {
  dayMs,
  eventOverheadBytes,
  findLogGroup,
  findLogStream,
  type LogEvent,
  type LogGroup,
  lastTimestamp,
  storeEvents,
} from '../../log-groups.ts';
import { logGroupName, logStreamName } from '../../names.ts';
import { makeOperation } from '../../operation.ts';

/** Maximum bytes of one batch (documentation). One event may take them all, so events have no limit. */
const maxBatchBytes = 1_048_576;

/** PutLogEvents: stores a batch without events that are too old or too new. Ignores sequence tokens. */
export const putLogEvents = makeOperation(
  {
    logGroupName: required(logGroupName),
    logStreamName: required(logStreamName),
    logEvents: required(
      list(
        structure({ timestamp: required(long({ min: 0 })), message: required(text({ min: 1 })) }),
        { min: 1, max: 10_000 },
      ),
    ),
  },
  (input, { logs, clock, settings }) => {
    const group = findLogGroup(logs.logGroups, input.logGroupName);
    const stream = findLogStream(group, input.logStreamName);
    const now = clock.now();
    const events = input.logEvents.map(({ timestamp, message }) => ({
      timestamp: Number(timestamp),
      message,
      ingestedAt: now,
    }));
    refuseBadBatch(events);

    const { start, end, rejectedLogEventsInfo } = acceptedRange(events, group, now, settings);
    storeEvents(group, stream, events.slice(start, end));
    const output = {
      nextSequenceToken: nextSequenceToken(stream.events.length),
      rejectedLogEventsInfo,
    };
    return { output, effect: { kind: 'log-events-stored', count: Math.max(0, end - start) } };
  },
);

/** The message about the order is recorded. The other two are quoted in public reports. */
function refuseBadBatch(events: LogEvent[]): void {
  const refuse = (message: string): never => {
    throw awsError('InvalidParameterException', message);
  };
  if (events.some(({ timestamp }, at) => timestamp < (events[at - 1]?.timestamp ?? 0))) {
    refuse('Log events in a single PutLogEvents request must be in chronological order.');
  }
  if ((events.at(-1)?.timestamp ?? 0) - (events[0]?.timestamp ?? 0) > dayMs) {
    refuse(
      'The batch of log events in a single PutLogEvents request cannot span more than 24 hours.',
    );
  }
  const batchBytes = events.reduce(
    (sum, { message }) => sum + Buffer.byteLength(message) + eventOverheadBytes,
    0,
  );
  if (batchBytes > maxBatchBytes) {
    refuse(`Upload too large: ${batchBytes} bytes exceeds limit of ${maxBatchBytes}`);
  }
}

/**
 * Returns the bounds of the accepted events. The `end` indexes are exclusive, as in the service
 * model.
 */
function acceptedRange(events: LogEvent[], group: LogGroup, now: number, settings: Settings) {
  const firstFrom = (bound: number) => {
    const at = events.findIndex(({ timestamp }) => timestamp >= bound);
    return at < 0 ? events.length : at;
  };
  const tooOldEnd = firstFrom(now - settings.maxEventAgeMs);
  const expiredEnd = firstFrom(now - (group.retentionInDays ?? Infinity) * dayMs);
  const tooNewStart = firstFrom(Math.min(now + settings.maxEventAheadMs, lastTimestamp) + 1);
  const rejected = {
    ...(tooOldEnd > 0 && { tooOldLogEventEndIndex: tooOldEnd }),
    ...(expiredEnd > 0 && { expiredLogEventEndIndex: expiredEnd }),
    ...(tooNewStart < events.length && { tooNewLogEventStartIndex: tooNewStart }),
  };
  return {
    start: Math.max(tooOldEnd, expiredEnd),
    end: tooNewStart,
    rejectedLogEventsInfo: Object.keys(rejected).length > 0 ? rejected : undefined,
  };
}

/** 56 digits, as in AWS's tokens. Clients need not send it back (documentation). */
function nextSequenceToken(storedEvents: number): string {
  return `496${String(storedEvents).padStart(53, '0')}`;
}
