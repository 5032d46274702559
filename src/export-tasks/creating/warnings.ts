import { toDateTime } from '#time/date-time.ts';
import { plausibleMs } from '#validation/instant.ts';
import { type CreateExportTask, s3KeyMaxBytes, type Warning } from '../export-task.ts';

// "/<taskId, 36>/<log stream, up to 512>/000000.gz", with a byte per character of the stream's name.
const appendedBytes = 1 + 36 + 1 + 512 + 1 + '000000.gz'.length;

/** What AWS will accept although it can hardly be meant; empty for an ordinary task. */
export function warningsOf(task: CreateExportTask): Warning[] {
  const { from, to, destinationPrefix = '' } = task;
  const warnings: Warning[] = [];
  if (to < plausibleMs.first) {
    warnings.push({
      pointer: '#/to',
      detail: `${to} is ${toInstant(to)}: to and from are in milliseconds, this looks like seconds. The export will be empty.`,
    });
  } else if (from > plausibleMs.last) {
    warnings.push({
      pointer: '#/from',
      detail: `${from} is after the year 2200: to and from are in milliseconds, this looks like micro- or nanoseconds. The export will be empty.`,
    });
  }
  if (from > to) {
    warnings.push({ pointer: '#/from', detail: 'from is after to. The export will be empty.' });
  }
  if (Buffer.byteLength(destinationPrefix) + appendedBytes > s3KeyMaxBytes) {
    warnings.push({
      pointer: '#/destinationPrefix',
      detail: `AWS appends up to ${appendedBytes} bytes to the prefix ("/<taskId>/<log stream>/000000.gz"); the keys of log streams with long names will pass the ${s3KeyMaxBytes} bytes S3 allows.`,
    });
  }
  return [...warnings, ...warningsOfSlashes(destinationPrefix)];
}

/** A prefix under which keys have folders without a name; empty for an ordinary one. */
export function warningsOfSlashes(destinationPrefix: string): Warning[] {
  const named = destinationPrefix.split('/').filter((name) => name !== '');
  const meant = named.join('/');
  if (meant === destinationPrefix) return [];
  const detail = `A slash at an end, or two in a row, makes a folder without a name in S3. ${meant === '' ? 'Leave the prefix out.' : `Write ${JSON.stringify(meant)}.`}`;
  return [{ pointer: '#/destinationPrefix', detail }];
}

function toInstant(ms: bigint): string {
  return toDateTime(Number(ms));
}
