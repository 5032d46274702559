import { setImmediate } from 'node:timers/promises';

/**
 * Iterates over many items in chunks, lazily, and lets other requests run between two chunks. All
 * work in proportion to a request goes through here.
 */
export async function* inChunks<Item>(
  items: Iterable<Item>,
  chunkSize: number,
): AsyncGenerator<readonly Item[]> {
  let chunk: Item[] = [];
  for (const item of items) {
    if (chunk.length === chunkSize) {
      yield chunk;
      await setImmediate();
      chunk = [];
    }
    chunk.push(item);
  }
  if (chunk.length > 0) yield chunk;
}
