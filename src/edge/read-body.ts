import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

import { inDigits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';

/** A body that is about to be read. */
export interface ExpectedBody {
  /** Its bytes, as Content-Length says; undefined when it comes in chunks. */
  length: number | undefined;
  /** The most bytes its operation takes. */
  limit: number;
}

/** The body a request announces in its headers; undefined when there is none. */
export function expectBody(
  { headers }: Pick<IncomingMessage, 'headers'>,
  limit: number,
): ExpectedBody | undefined {
  if (headers['transfer-encoding'] !== undefined) return { length: undefined, limit };
  const length = Number(headers['content-length'] ?? 0);
  return length === 0 ? undefined : { length, limit };
}

/** The bytes a body may take. @throws Problem body-too-large */
export function bytesOf({ length, limit }: ExpectedBody): number {
  if (length !== undefined && length > limit) throw tooLarge(limit);
  return length ?? limit;
}

// A body in chunks is mostly a small one.
const firstBytes = 4_096;

/**
 * Reads a body into one piece of memory. Chunks are not kept: a chunk of one byte is an object of
 * some hundred, so a body in such chunks would take a hundred times its size.
 * @throws Problem body-too-large, or what the stream ends with
 */
export function readBody(
  stream: Readable,
  { length, limit }: ExpectedBody,
): Promise<Buffer<ArrayBuffer>> {
  let bytes = Buffer.allocUnsafeSlow(length ?? Math.min(firstBytes, limit));
  let received = 0;
  return new Promise((resolve, reject) => {
    stream.on('data', take);
    stream.on('end', () => resolve(bytes.subarray(0, received)));
    stream.on('error', reject);

    function take(chunk: Buffer): void {
      const needed = received + chunk.length;
      if (needed > limit) {
        stream.off('data', take); // the rest flows away unread
        reject(tooLarge(limit));
        return;
      }
      if (needed > bytes.length) {
        const larger = Math.min(limit, Math.max(needed, 2 * bytes.length));
        bytes = Buffer.from(bytes.buffer.transfer(larger));
      }
      chunk.copy(bytes, received);
      received = needed;
    }
  });
}

/**
 * Gives the memory of a body back at once. It lies outside of the heap, where garbage collection lets
 * some ten bodies pile up first.
 */
export function freeBody(bytes: Buffer<ArrayBuffer>): void {
  bytes.buffer.transfer(0);
}

function tooLarge(limit: number): Problem {
  return new Problem('body-too-large', `The body has more than ${inDigits(limit)} bytes.`);
}
