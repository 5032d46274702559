import { setImmediate } from 'node:timers/promises';

/**
 * Hands many things out in parts, and lets everybody else go first between two of them: whatever is
 * done in proportion to a request goes through here. Nothing is made before its part has come.
 */
export async function* inChunks<Thing>(
  things: Iterable<Thing>,
  atOnce: number,
): AsyncGenerator<readonly Thing[]> {
  let part: Thing[] = [];
  for (const thing of things) {
    if (part.length === atOnce) {
      yield part;
      await setImmediate();
      part = [];
    }
    part.push(thing);
  }
  if (part.length > 0) yield part;
}
