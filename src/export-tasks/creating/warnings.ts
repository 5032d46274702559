import { toDateTime } from '#time/date-time.ts';
import { lastYear, plausibleMs } from '#validation/instant.ts';
import { type CreateExportTask, s3KeyMaxBytes } from '../create-export-task-body.ts';
import type { Warning } from '../export-task.ts';

// "/<taskId, 36>/<log stream, up to 512>/000000.gz", with a byte per character of the stream's name.
const appendedBytes = 1 + 36 + 1 + 512 + 1 + '000000.gz'.length;

/** Warnings about values that AWS accepts but that are probably mistakes. */
export function warningsOf(task: CreateExportTask): Warning[] {
  const { from, to, destinationPrefix = '' } = task;
  const warnings: Warning[] = [];
  if (to < plausibleMs.first) {
    warnings.push({
      pointer: '#/to',
      detail: `${to} is ${toDateTime(Number(to))}. The value looks like seconds, but from and to are in milliseconds. The export will be empty.`,
    });
  } else if (from > plausibleMs.last) {
    warnings.push({
      pointer: '#/from',
      detail: `${from} is after the year ${lastYear}. The value looks like microseconds or nanoseconds, but from and to are in milliseconds. The export will be empty.`,
    });
  }
  if (from > to) {
    warnings.push({ pointer: '#/from', detail: 'from is after to. The export will be empty.' });
  }
  if (Buffer.byteLength(destinationPrefix) + appendedBytes > s3KeyMaxBytes) {
    warnings.push({
      pointer: '#/destinationPrefix',
      detail: `AWS appends up to ${appendedBytes} bytes to the prefix ("/<taskId>/<log stream>/000000.gz"). The keys of log streams with long names will exceed the S3 limit of ${s3KeyMaxBytes} bytes.`,
    });
  }
  return [...warnings, ...warningsOfSlashes(destinationPrefix)];
}

/** Warnings about a prefix that makes folders without a name in S3. */
export function warningsOfSlashes(destinationPrefix: string): Warning[] {
  const named = destinationPrefix.split('/').filter((name) => name !== '');
  const corrected = named.join('/');
  if (corrected === destinationPrefix) return [];
  const detail = `A slash at the beginning or end, or two in a row, creates a folder without a name in S3. ${corrected === '' ? 'Omit the prefix.' : `Use ${JSON.stringify(corrected)} instead.`}`;
  return [{ pointer: '#/destinationPrefix', detail }];
}
