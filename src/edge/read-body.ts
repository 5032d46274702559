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

/** The memory that a body may take before all of it has arrived. */
export interface BodyMemory {
  /** Its first bytes, which are not reserved. */
  freeBytes: number;
  /** Is called with all its bytes so far, before it takes more than `freeBytes`. */
  reserve: (bytes: number) => void;
}

/**
 * Reads a body into one buffer. It takes the announced size at once, or with `memory` only what arrives. Chunks are copied and not kept: a chunk of one byte is an object of some
 * hundred bytes, so a body of such chunks would take a hundred times its size.
 * @throws Problem body-too-large, the error of `reserve`, or the error of the stream
 */
export function readBody(
  stream: Readable,
  { length, limit }: ExpectedBody,
  memory?: BodyMemory,
): Promise<Buffer<ArrayBuffer>> {
  const expected = memory ? Math.min(memory.freeBytes, length ?? limit) : length;
  let bytes = Buffer.allocUnsafeSlow(expected ?? Math.min(firstBytes, limit));
  let received = 0;
  return new Promise((resolve, reject) => {
    stream.on('data', take);
    stream.on('end', () => resolve(bytes.subarray(0, received)));
    stream.on('error', reject);

    function take(chunk: Buffer): void {
      try {
        add(chunk);
      } catch (error) {
        stream.off('data', take); // discards the rest
        reject(error);
      }
    }

    function add(chunk: Buffer): void {
      const needed = received + chunk.length;
      if (needed > limit) throw tooLarge(limit);
      if (needed > bytes.length) {
        const larger = Math.min(length ?? limit, Math.max(needed, 2 * bytes.length));
        memory?.reserve(larger);
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
