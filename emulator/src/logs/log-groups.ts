import type { Settings } from '../options/settings.ts';
import { awsError } from '../wire/aws-error.ts';

/** A stored event. Times are epoch ms. */
export interface LogEvent {
  timestamp: number;
  ingestedAt: number;
  message: string;
}

/** A log stream. Its events are in the order of their arrival. */
export interface LogStream {
  logStreamName: string;
  createdAt: number;
  events: LogEvent[];
  /** Bounds of all events. They are maintained so that listings do not scan the events. */
  firstTimestamp: number | undefined;
  lastTimestamp: number | undefined;
}

/** A log group, with its streams by name. */
export interface LogGroup {
  logGroupName: string;
  createdAt: number;
  logGroupClass: string;
  retentionInDays: number | undefined;
  /** Name of the account policy that sets the retention, if there is one. */
  retentionPolicyName: string | undefined;
  isDeletionProtected: boolean;
  storedBytes: number;
  tags: Record<string, string>;
  streams: Map<string, LogStream>;
}

/** The log groups of one account and Region, by name. */
export type LogGroups = Map<string, LogGroup>;

/** Bytes that AWS adds for each event of a batch (documentation). */
export const eventOverheadBytes = 26;

/** The latest valid Date in epoch ms. A later event could not be formatted. */
export const lastTimestamp = 8.64e15;

/** A day in ms. */
export const dayMs = 86_400_000;

/** Finds a log group. @throws ResourceNotFoundException (message recorded) */
export function findLogGroup(groups: LogGroups, logGroupName: string): LogGroup {
  const group = groups.get(logGroupName);
  if (group) return group;
  throw awsError('ResourceNotFoundException', 'The specified log group does not exist.');
}

/** Finds a stream. @throws ResourceNotFoundException (message recorded) */
export function findLogStream(group: LogGroup, logStreamName: string): LogStream {
  const stream = group.streams.get(logStreamName);
  if (stream) return stream;
  throw awsError('ResourceNotFoundException', 'The specified log stream does not exist.');
}

/** Adds an empty log group. Replaces a group of the same name. */
export function addLogGroup(
  groups: LogGroups,
  group: Pick<LogGroup, 'logGroupName' | 'createdAt'> &
    Partial<
      Pick<
        LogGroup,
        'logGroupClass' | 'retentionInDays' | 'retentionPolicyName' | 'isDeletionProtected' | 'tags'
      >
    >,
): LogGroup {
  const added: LogGroup = {
    logGroupClass: 'STANDARD',
    retentionInDays: undefined,
    retentionPolicyName: undefined,
    isDeletionProtected: false,
    tags: {},
    ...group,
    storedBytes: 0,
    streams: new Map(),
  };
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

/** Appends events to a stream, without the checks of PutLogEvents. */
export function storeEvents(group: LogGroup, stream: LogStream, events: readonly LogEvent[]): void {
  for (const event of events) {
    stream.events.push(event);
    stream.firstTimestamp = Math.min(stream.firstTimestamp ?? Infinity, event.timestamp);
    stream.lastTimestamp = Math.max(stream.lastTimestamp ?? -Infinity, event.timestamp);
    group.storedBytes += storedSize(event);
  }
}

/** Returns the instant before which the events of a group expired, by its retention. */
export function expiredBefore(
  { retentionInDays }: LogGroup,
  now: number,
  { expiredEvents }: Pick<Settings, 'expiredEvents'>,
): number {
  if (retentionInDays === undefined || expiredEvents === 'kept') return -Infinity;
  return now - retentionInDays * dayMs;
}

/** Removes a stream and its events. */
export function removeLogStream(group: LogGroup, stream: LogStream): void {
  group.streams.delete(stream.logStreamName);
  for (const event of stream.events) group.storedBytes -= storedSize(event);
}

function storedSize({ message }: LogEvent): number {
  return Buffer.byteLength(message) + eventOverheadBytes;
}
