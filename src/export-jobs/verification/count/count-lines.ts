import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

import type { LineCount } from '../../store/verifications/findings.ts';

const newline = 10;
const timestampLength = '2024-05-01T00:00:00.000Z '.length;
// AWS writes each log event as its timestamp, a space and the message. A message of several lines
// continues without a timestamp.
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z $/;

/** The name of the error of an object that is no whole gzip file. */
export const brokenGzip = 'BrokenGzip';

/**
 * Counts the lines and records of an object of an export while it is read. It keeps the begin of one line
 * and no text.
 * @throws an error named BrokenGzip; and the error of the stream
 */
export async function countLines(object: Readable): Promise<LineCount> {
  const gunzip = createGunzip();
  let readError: Error | undefined;
  object.once('error', (error) => {
    readError = error;
    gunzip.destroy(error);
  });
  object.pipe(gunzip);
  const counter = makeLineCounter();
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
export function makeLineCounter() {
  const count: LineCount = { lines: 0, records: 0 };
  let head = '';
  let isInLine = false;

  function addHead(chunk: Buffer, from: number, to: number): void {
    if (head.length < timestampLength)
      head += chunk.toString('latin1', from, Math.min(to, from + timestampLength - head.length));
  }

  function endLine(): void {
    count.lines += 1;
    if (timestamp.test(head)) count.records += 1;
    head = '';
  }

  return {
    add(chunk: Buffer): void {
      let from = 0;
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
        addHead(chunk, from, at);
        endLine();
        from = at + 1;
      }
      addHead(chunk, from, chunk.length);
      if (chunk.length > 0) isInLine = from < chunk.length;
    },
    end(): LineCount {
      if (isInLine) endLine();
      return count;
    },
  };
}
