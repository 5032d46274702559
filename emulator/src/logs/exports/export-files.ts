import { gzipSync } from 'node:zlib';
import type { Settings } from '../../options/settings.ts';
import { expiredBefore, type LogEvent, type LogGroup } from '../log-groups.ts';
import type { ExportTask } from './export-tasks.ts';

/** One object of an export. `body` makes the gzip bytes when they are needed. */
export interface ExportFile {
  key: string;
  body(): Buffer;
}

/** The prefix of keys and in DescribeExportTasks when none was given (recorded). */
export const defaultDestinationPrefix = 'exportedlogs';

/** The object that AWS writes to check its permission (key and body recorded). */
export const writeTest = { key: 'aws-logs-write-test', body: 'Permission Check Successful' };

/**
 * Returns the key of the write test: under the prefix if there is one, otherwise at the root
 * (recorded). A slash at the end of the prefix is kept, which makes two slashes, unless the option
 * `keyPrefix` trims it.
 */
export function writeTestKey(
  destinationPrefix: string | undefined,
  { keyPrefix }: Pick<Settings, 'keyPrefix'>,
): string {
  const prefix = trimAs(keyPrefix, destinationPrefix ?? '');
  return prefix ? `${prefix}/${writeTest.key}` : writeTest.key;
}

/** Returns a prefix as given, or without a slash at its end. */
export function trimAs(rule: Settings['keyPrefix'], prefix: string): string {
  return rule === 'trimmed' && prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
}

/**
 * Returns the files of an export that finishes now. A stream without matching events has none. Streams whose
 * names differ only in `/` and `-` share a folder and its numbers (assumption: nothing is lost).
 */
export function exportFiles(
  task: ExportTask,
  group: LogGroup,
  now: number,
  settings: Settings,
): ExportFile[] {
  const filesByFolder = new Map<string, number>();
  const files: ExportFile[] = [];
  const firstKept = expiredBefore(group, now, settings);
  const prefix = trimAs(settings.keyPrefix, task.destinationPrefix || defaultDestinationPrefix);
  for (const stream of group.streams.values()) {
    if (!stream.logStreamName.startsWith(task.logStreamNamePrefix ?? '')) continue;
    const events = stream.events.filter(
      (event) => event.timestamp >= firstKept && isInRange(event, task, settings),
    );
    events.sort((left, right) => left.timestamp - right.timestamp);
    const folder = stream.logStreamName.replaceAll('/', '-');
    for (const lines of splitBySize(events.map(formatLine), settings.rolloverBytes)) {
      const number = filesByFolder.get(folder) ?? 0;
      filesByFolder.set(folder, number + 1);
      files.push({
        key: `${prefix}/${task.taskId}/${folder}/${String(number).padStart(6, '0')}.gz`,
        body: () => gzipSync(lines.join('\n') + (settings.trailingNewline ? '\n' : '')),
      });
    }
  }
  return files;
}

function isInRange(
  { timestamp, ingestedAt }: LogEvent,
  { from, to }: ExportTask,
  { eventRange, rangeEnd }: Pick<Settings, 'eventRange' | 'rangeEnd'>,
): boolean {
  const time = eventRange === 'timestamp' ? timestamp : ingestedAt;
  return time >= from && (rangeEnd === 'inclusive' ? time <= to : time < to);
}

/** One line: ISO 8601 in UTC with milliseconds, a space, and the unchanged message. */
function formatLine({ timestamp, message }: LogEvent): string {
  return `${new Date(timestamp).toISOString()} ${message}`;
}

function splitBySize(lines: string[], maxBytes: number): string[][] {
  const parts: string[][] = [];
  let partBytes = Infinity;
  for (const line of lines) {
    const lineBytes = Buffer.byteLength(line) + 1;
    if (partBytes + lineBytes > maxBytes) {
      parts.push([]);
      partBytes = 0;
    }
    parts.at(-1)?.push(line);
    partBytes += lineBytes;
  }
  return parts;
}
