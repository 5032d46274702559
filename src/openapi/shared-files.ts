import { ReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';

/**
 * Makes a function that replaces the stream of a file by its bytes, which all answers share. A stream takes some 100 KB
 * for each client that does not read. It returns any other payload as it is.
 */
export function makeSharedFiles(): (payload: unknown) => Promise<unknown> {
  const files = new Map<string, Promise<Buffer>>();
  return async (payload) => {
    if (!(payload instanceof ReadStream)) return payload;
    payload.destroy();
    const path = String(payload.path);
    const file = files.get(path) ?? readFile(path);
    files.set(path, file);
    return file.catch((error) => {
      files.delete(path);
      throw error;
    });
  };
}
