import { ReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';

// Smaller: more turns for each download. Larger: a client that does not read takes more memory.
const pieceBytes = 32_768;

/** The longest time of a download, in milliseconds. Fastify ends an answer that is streamed for longer. */
export const maxDownloadMs = 600_000;

/**
 * Streams bytes that all answers share. A client that does not read takes one piece of memory. As a whole, TLS would
 * encrypt all of them at once, for each client.
 */
export function inPieces(bytes: Buffer): Readable {
  function* pieces() {
    for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
  }
  return Readable.from(pieces(), { objectMode: false, highWaterMark: pieceBytes });
}

/**
 * Makes a function that replaces the stream of a file by the same bytes from memory. A stream takes a descriptor and
 * some 100 KB for each client that does not read. It returns any other payload as it is.
 */
export function makeSharedFiles(): (payload: unknown) => Promise<unknown> {
  const files = new Map<string, Promise<Buffer>>();
  return async (payload) => {
    if (!(payload instanceof ReadStream)) return payload;
    const path = String(payload.path);
    payload.on('error', () => {}); // it is not read: the file can be in memory
    payload.destroy();
    const file = files.get(path) ?? readFile(path);
    files.set(path, file);
    try {
      return inPieces(await file);
    } catch (error) {
      files.delete(path);
      throw error;
    }
  };
}
