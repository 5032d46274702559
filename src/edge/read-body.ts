import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

import { inDigits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';

/** The announced size of a body. */
export interface ExpectedBody {
  /** Its size in Content-Length; undefined for a chunked body. */
  length: number | undefined;
  /** The most bytes that the operation accepts. */
  limit: number;
}

/** Returns the body that the headers announce; undefined if there is none. */
export function expectBody(
  { headers }: Pick<IncomingMessage, 'headers'>,
  limit: number,
): ExpectedBody | undefined {
  if (headers['transfer-encoding'] !== undefined) return { length: undefined, limit };
  const length = Number(headers['content-length'] ?? 0);
  return length === 0 ? undefined : { length, limit };
}

/** Returns the most bytes that a body can have. @throws Problem body-too-large */
export function bytesOf({ length, limit }: ExpectedBody): number {
  if (length !== undefined && length > limit) throw tooLarge(limit);
  return length ?? limit;
}

// The initial buffer of a chunked body: most are small.
const firstBytes = 4_096;

/**
 * Reads a body into one buffer. Chunks are copied and not kept: a chunk of one byte is an object of some
 * hundred bytes, so a body of such chunks would take a hundred times its size.
 * @throws Problem body-too-large, or the error of the stream
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
        stream.off('data', take); // discards the rest
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
 * Releases the memory of a body at once. It is outside the heap, where garbage collection would first let
 * some ten bodies accumulate.
 */
export function freeBody(bytes: Buffer<ArrayBuffer>): void {
  bytes.buffer.transfer(0);
}

function tooLarge(limit: number): Problem {
  return new Problem('body-too-large', `The body has more than ${inDigits(limit)} bytes.`);
}
