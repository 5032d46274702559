import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

import { toDateTime } from '#time/date-time.ts';
import type { LineCount } from '../../store/verifications/findings.ts';
import type { CountedWindow } from './count-events.ts';

const newline = 10;
const timestampLength = '2024-05-01T00:00:00.000Z '.length;
// AWS writes each log event as its timestamp, a space and the message. A message of several lines
// continues without a timestamp.
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z $/;

/** The time range of the records: half-open, in epoch ms. */
type RecordWindow = Pick<CountedWindow, 'fromAt' | 'toAt'>;

/** The name of the error of an object that is no whole gzip file. */
export const brokenGzip = 'BrokenGzip';

/**
 * Counts the lines and records of an object of an export while it is read. It keeps the begin of one line
 * and no text. A line with a timestamp outside of the time range is part of a message.
 * @throws an error named BrokenGzip; and the error of the stream
 */
export async function countLines(object: Readable, window: RecordWindow): Promise<LineCount> {
  const gunzip = createGunzip();
  let readError: Error | undefined;
  object.once('error', (error) => {
    readError = error;
    gunzip.destroy(error);
  });
  object.pipe(gunzip);
  const counter = makeLineCounter(window);
  try {
    for await (const chunk of gunzip) counter.add(chunk);
  } catch (error) {
    throw (
      readError ?? Object.assign(new Error('Broken gzip', { cause: error }), { name: brokenGzip })
    );
  } finally {
    object.destroy();
  }
  return counter.end();
}

/** Counts the lines of text that arrives in chunks. A last line without an end counts, too. */
export function makeLineCounter({ fromAt, toAt }: RecordWindow) {
  // As text: timestamps of this form are in order, and a date for each line would take longer.
  const from = toDateTime(fromAt);
  const to = toDateTime(toAt);
  const count: LineCount = { lines: 0, records: 0 };
  let head = '';
  let isInLine = false;

  function addHead(chunk: Buffer, begin: number, end: number): void {
    if (head.length < timestampLength)
      head += chunk.toString('latin1', begin, Math.min(end, begin + timestampLength - head.length));
  }

  function endLine(): void {
    count.lines += 1;
    if (head >= from && head < to && timestamp.test(head)) count.records += 1;
    head = '';
  }

  return {
    add(chunk: Buffer): void {
      let begin = 0;
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, begin)) {
        addHead(chunk, begin, at);
        endLine();
        begin = at + 1;
      }
      addHead(chunk, begin, chunk.length);
      if (chunk.length > 0) isInLine = begin < chunk.length;
    },
    end(): LineCount {
      if (isInLine) endLine();
      return count;
    },
  };
}
