import { gzipSync } from 'node:zlib';
import type { Settings } from '../options.ts';
import type { ExportTask } from './export-tasks.ts';
import type { LogEvent, LogGroup } from './log-groups.ts';

/** One object of an export: its key, and its gzip bytes when somebody wants them. */
export interface ExportFile {
  key: string;
  body(): Buffer;
}

/** What DescribeExportTasks shows, and keys begin with, when no prefix was given (recorded). */
export const defaultDestinationPrefix = 'exportedlogs';

/** The object AWS writes to see whether it may (key and body recorded). */
export const writeTest = { key: 'aws-logs-write-test', body: 'Permission Check Successful' };

/**
 * The key of the write test: under the prefix when there is one, else at the root (recorded). A
 * slash at the end of a prefix is kept, and so gives two (assumption).
 */
export function writeTestKey(destinationPrefix: string | undefined): string {
  return destinationPrefix ? `${destinationPrefix}/${writeTest.key}` : writeTest.key;
}

/**
 * The files of a finished export. A stream without matching events has none. Two streams whose
 * names differ only in `/` and `-` share a folder and its numbering (assumption: nothing is lost).
 */
export function exportFiles(
  task: ExportTask,
  group: LogGroup,
  settings: Pick<Settings, 'eventRange' | 'rolloverBytes' | 'trailingNewline'>,
): ExportFile[] {
  const filesByFolder = new Map<string, number>();
  const files: ExportFile[] = [];
  for (const stream of group.streams.values()) {
    if (!stream.logStreamName.startsWith(task.logStreamNamePrefix ?? '')) continue;
    const events = stream.events.filter((event) => isInRange(event, task, settings.eventRange));
    events.sort((left, right) => left.timestamp - right.timestamp);
    const folder = stream.logStreamName.replaceAll('/', '-');
    for (const lines of splitBySize(events.map(formatLine), settings.rolloverBytes)) {
      const number = filesByFolder.get(folder) ?? 0;
      filesByFolder.set(folder, number + 1);
      files.push({
        key: `${task.destinationPrefix || defaultDestinationPrefix}/${task.taskId}/${folder}/${String(number).padStart(6, '0')}.gz`,
        body: () => gzipSync(lines.join('\n') + (settings.trailingNewline ? '\n' : '')),
      });
    }
  }
  return files;
}

function isInRange(event: LogEvent, { from, to }: ExportTask, rule: Settings['eventRange']) {
  return rule === 'timestamp'
    ? event.timestamp >= from && event.timestamp <= to
    : event.ingestedAt >= from && event.ingestedAt < to;
}

/** ISO 8601 in UTC with milliseconds, a space, and the message byte for byte. */
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
