import { awsError } from '../wire/aws-error.ts';

/** One event as stored; times are epoch ms. */
export interface LogEvent {
  timestamp: number;
  ingestedAt: number;
  message: string;
}

/** A log stream; its events are in the order they came. */
export interface LogStream {
  logStreamName: string;
  createdAt: number;
  events: LogEvent[];
  /** Bounds over all events, kept up to date so that listings need not look at them. */
  firstTimestamp: number | undefined;
  lastTimestamp: number | undefined;
}

/** A log group with its streams by name. */
export interface LogGroup {
  logGroupName: string;
  createdAt: number;
  logGroupClass: string;
  retentionInDays: number | undefined;
  storedBytes: number;
  tags: Record<string, string>;
  streams: Map<string, LogStream>;
}

/** The log groups of one account and Region by name. */
export type LogGroups = Map<string, LogGroup>;

/** Bytes AWS adds to each event when it counts a batch (documentation). */
export const eventOverheadBytes = 26;

/** The latest time a calendar has, epoch ms; an event after it could not be written out. */
export const lastTimestamp = 8.64e15;

/** Finds a log group or throws ResourceNotFoundException (text recorded). */
export function findLogGroup(groups: LogGroups, logGroupName: string): LogGroup {
  const group = groups.get(logGroupName);
  if (group) return group;
  throw awsError('ResourceNotFoundException', 'The specified log group does not exist.');
}

/** Finds a stream or throws ResourceNotFoundException (text recorded). */
export function findLogStream(group: LogGroup, logStreamName: string): LogStream {
  const stream = group.streams.get(logStreamName);
  if (stream) return stream;
  throw awsError('ResourceNotFoundException', 'The specified log stream does not exist.');
}

/** Adds an empty log group; one of the same name is replaced. */
export function addLogGroup(
  groups: LogGroups,
  group: Pick<LogGroup, 'logGroupName' | 'createdAt' | 'logGroupClass' | 'retentionInDays'> &
    Partial<Pick<LogGroup, 'tags'>>,
): LogGroup {
  const added = { tags: {}, ...group, storedBytes: 0, streams: new Map() };
  groups.set(group.logGroupName, added);
  return added;
}

/** Adds an empty stream. */
export function addLogStream(group: LogGroup, logStreamName: string, createdAt: number): LogStream {
  const stream: LogStream = {
    logStreamName,
    createdAt,
    events: [],
    firstTimestamp: undefined,
    lastTimestamp: undefined,
  };
  group.streams.set(logStreamName, stream);
  return stream;
}

/** Appends events to a stream without any of the checks of PutLogEvents. */
export function storeEvents(group: LogGroup, stream: LogStream, events: readonly LogEvent[]): void {
  for (const event of events) {
    stream.events.push(event);
    stream.firstTimestamp = Math.min(stream.firstTimestamp ?? Infinity, event.timestamp);
    stream.lastTimestamp = Math.max(stream.lastTimestamp ?? -Infinity, event.timestamp);
    group.storedBytes += storedSize(event);
  }
}

/** Removes a stream with its events. */
export function removeLogStream(group: LogGroup, stream: LogStream): void {
  group.streams.delete(stream.logStreamName);
  for (const event of stream.events) group.storedBytes -= storedSize(event);
}

function storedSize({ message }: LogEvent): number {
  return Buffer.byteLength(message) + eventOverheadBytes;
}
